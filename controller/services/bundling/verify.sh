#!/bin/sh
# Checks the bundle in this folder by the keys of an annex: sh verify.sh annex.txt
# Needs a POSIX system, coreutils and OpenSSL 3. Exit code 0: OK; 1: something is not what it must be; 2: not checked, or not whole.
export LC_ALL=C CDPATH=
say() { printf '%s\n' "$2" | tr -c '\n -~' '?'; exit "$1"; }
fail() { say 1 "FAIL $1"; }
[ $# -eq 1 ] && [ -r "$1" ] || say 2 'usage: sh verify.sh annex.txt'
bom=$(printf '\357\273\277')
annex=$(sed "1s/^$bom//"';s/#.*//; s/^[[:space:]]*//; s/[[:space:]]*$//; s/^\(agent .*\) by [A-Za-z0-9._-]\{1,64\}$/\1/' "$1") && cd "$(dirname "$0")" || exit 2
twice=$(printf '%s\n' "$annex" | sed -nE 's/^(log|(agent|witness) [^ ]+) .*/\1/p' | sort | uniq -d | head -n 1)
[ -z "$twice" ] || say 2 "$1: expected one key of $twice, found several"
tmp=$(mktemp -d) && trap 'rm -rf "$tmp"' EXIT || exit 2
text() { sed '/^$/,$d' "$1"; }
hash() { { sha256sum <"$1"; } 2>/dev/null | cut -c 1-64; }
raw() { openssl pkey -pubin -in "$1" -outform DER 2>/dev/null | tail -c 32; }

named() { # $1: a line of the annex
    case "
$annex
" in *"
$1
"*) ;; *) return 1 ;; esac
}

trusted() { # $1: as the annex names it, $2: file of a key
    [ -f "$2" ] || fail "$2: missing"
    openssl pkey -pubin -in "$2" 2>/dev/null | cmp -s - "$2" || fail "$2: no public key, or more than that"
    raw "$2" >"$tmp/raw"
    named "$1 $(od -An -v -tx1 "$tmp/raw" | tr -d ' \n')" || named "$1 sha256:$(hash "$tmp/raw")" ||
        fail "$2: not a key of $1 in the annex"
}

signed() { # $1: a note, $2: file of the key, $3: its name: one signature, by that key, and nothing else
    [ -f "$1" ] || fail "$1: missing"
    text "$1" >"$tmp/text"
    sed -n "s|^— $3 ||p" "$1" | base64 -d >"$tmp/blob" 2>/dev/null
    tail -c 64 "$tmp/blob" >"$tmp/signature"
    { printf '%s\n\001' "$3"; raw "$2"; } | openssl dgst -sha256 -binary | head -c 4 | cat - "$tmp/signature" >"$tmp/expected"
    { cat "$tmp/text"; printf '\n— %s %s\n' "$3" "$(base64 -w 0 "$tmp/blob")"; } | cmp -s - "$1" &&
        cmp -s "$tmp/blob" "$tmp/expected" &&
        openssl pkeyutl -verify -rawin -pubin -inkey "$2" -sigfile "$tmp/signature" -in "$tmp/text" >/dev/null 2>&1 ||
        fail "$1: not signed by $3"
}

odd=$(find . ! -type d ! -type f | head -n 1) && [ -z "$odd" ] || fail "${odd#./}: neither a file nor a folder"
odd=$(find . -name '*.note' -size +268435456c | head -n 1) && [ -z "$odd" ] || fail "${odd#./}: larger than a note"

# The log's key, and every file by the manifest that it signed.
origin=$(printf '%s\n' "$annex" | sed -n 's/^log \([^ |]*\) .*/\1/p')
trusted "log $origin" keys/log.pem
signed MANIFEST.note keys/log.pem "$origin"
[ "$(head -n 1 MANIFEST.note)" = vedette.manifest/v1 ] || fail 'MANIFEST.note: no manifest'
text MANIFEST.note | sed 1d >"$tmp/sums"
id='[a-z0-9@][a-z0-9._-]{0,63}' n='[0-9]{1,19}'
names='README\.txt|verify\.sh|claim\.(note|tlog-proof)|fleet\.yaml|(timeline|attainment)\.json|results\.jsonl'
names="$names|keys/$id\.pem|streams/$id/[A-Za-z0-9]{1,32}/$id/([0-9]{8}\.(note|jsonl|tlog-proof)|tip\.tlog-proof)"
names="$names|checkpoints/$n|consistency/$n-$n\.proof|config/$n\.(note|tlog-proof|json)|timestamps/$n\.$id\.(tsr|tsq|pem)"
sed -E "\#^[0-9a-f]{64}  ($names)\$#d" "$tmp/sums" >"$tmp/out"
[ ! -s "$tmp/out" ] || fail "MANIFEST.note: expected a hash and a file of a bundle, found $(head -n 1 "$tmp/out")"
sort -c -u -k 2 "$tmp/sums" 2>/dev/null || fail 'MANIFEST.note: files out of order, or twice'
beside=MANIFEST.note
if [ -e PAPER.note ]; then
    signed PAPER.note keys/log.pem "$origin"
    text PAPER.note | sed 1d >"$tmp/paper"
    beside=$(sed 's/^[^ ]*  //' "$tmp/paper" | tr '\n' ' ')
    case "$(head -n 1 PAPER.note) $beside" in
    'vedette.paper/v1 MANIFEST.note report.html ' | 'vedette.paper/v1 MANIFEST.note report.html report.pdf ') ;;
    *) fail 'PAPER.note: no paper' ;;
    esac
    sha256sum -c --quiet --strict "$tmp/paper" >"$tmp/out" 2>/dev/null || fail "$(head -n 1 "$tmp/out") (PAPER.note)"
    beside="$beside PAPER.note"
fi
find . ! -type d | sed 's|^\./||' | sort >"$tmp/there"
{ sed 's/^[^ ]*  //' "$tmp/sums"; printf '%s\n' $beside; } | sort | diff - "$tmp/there" >"$tmp/out" ||
    fail "$(sed -n '/^[<>]/{s/^< \(.*\)/\1: missing/;s/^> \(.*\)/\1: not in MANIFEST.note/;p;}' "$tmp/out" | head -n 1)"
sha256sum -c --quiet --strict "$tmp/sums" >"$tmp/out" 2>/dev/null || fail "$(head -n 1 "$tmp/out") (MANIFEST.note)"

# The claim, and the figures that it names.
signed claim.note keys/log.pem "$origin"
[ "$(head -n 1 claim.note)" = vedette.claim/v1 ] || fail 'claim.note: no claim'
n='(0|[1-9][0-9]{0,18})' h='[0-9a-f]{64}' s='[^ ]+'
text claim.note | sed -E "1d
2{/^(contract $s|outage OUT-$s check $s) revision [1-9][0-9]{0,9}\$/d;}
3{/^period $s $n $n\$/d;}
4{/^as-of $n\$/d;}
5{/^program $s tzdata $s\$/d;}
6,7{/^(fleet|timeline) $h\$/d;}
8,9{/^(attainment|supersedes) ($h|-)\$/d;}
10,\${/^(stream $s $s $s seals $n $n $h $h|unsealed $s $s $s lines $n $n time $n $n|late $s $s $s lines $n $n)\$/d;}
" >"$tmp/out"
[ ! -s "$tmp/out" ] || fail "claim.note: expected a line of a claim, found $(head -n 1 "$tmp/out")"
figures='fleet.yaml timeline.json'
case $(sed -n '2s/ .*//p' claim.note):$(text claim.note | sed -n 's/^attainment //p') in
outage:-) [ ! -e attainment.json ] || fail 'attainment.json: an outage has none' ;;
outage:* | *:-) fail 'claim.note: a contract and its attainment, or an outage and none' ;;
*) figures="$figures attainment.json" ;;
esac
for name in $figures; do
    [ "$(sed -n "s/^${name%.*} //p" claim.note)" = "$(hash $name)" ] || fail "$name: not what claim.note names"
done

# What was pruned, as leaves of the log say.
: >"$tmp/pruned"
for file in config/*.note; do
    IFS= read -r kind <"$file" && [ "$kind" = vedette.prune/v1 ] || continue
    signed "$file" keys/log.pem "$origin"
    sed -n 's/^data //p' "$tmp/text" | tr '"' '\n' |
        sed -n 's/^stream \([^ ]* [^ ]* [^ ]*\) seals \([1-9][0-9]\{0,8\} [1-9][0-9]\{0,8\}\) lines .*/\1 \2/p' >>"$tmp/pruned"
done 2>/dev/null

# Each stream: from the first seal of the claim to the last, each naming the one before, the last one signed. What the
# claim itself says never came is told.
text claim.note | sed -n 's/^stream //p' >"$tmp/streams"
[ -s "$tmp/streams" ] || fail 'claim.note: names no stream'
twice=$(cut -d ' ' -f 1-3 "$tmp/streams" | uniq | sort | uniq -d | head -n 1)
[ -z "$twice" ] || fail "claim.note: expected the runs of stream $twice together"
from=$(sed -n '3s/^period [^ ]* \([0-9]*\) .*/\1/p' claim.note)
echo keys/log.pem >"$tmp/expected-files"
: >"$tmp/lines"
before='' end=0 whole=OK
while read -r agent epoch stream _ first last first_hash last_hash; do
    dir=streams/$agent/$epoch/$stream
    case $dir in *[!A-Za-z0-9/@._-]* | *..*) fail "claim.note: no stream $dir" ;; esac
    case $first:$last in *[!0-9:]* | 0* | *:0* | ??????????*:* | *:??????????*) fail "claim.note: no seals $first to $last" ;; esac
    [ $((last - first)) -lt "$(wc -l <"$tmp/there")" ] || fail "$dir: fewer files than seals $first to $last"
    trusted "agent $agent" "keys/$agent.pem"
    proof=tip
    if [ "$dir" = "$before" ]; then
        [ "$first" -gt $((end + 1)) ] || fail "claim.note: seals $first to $last of $dir after $end"
        printf 'INCOMPLETE seals %s to %s of stream %s of agent %s never came\n' $((end + 1)) $((first - 1)) "$stream" "$agent"
        proof=$(printf %08d "$end") whole=INCOMPLETE
    elif [ "$first" != 1 ]; then
        begun=$(sed -n 's/^time \([0-9]*\) .*/\1/p' "$dir/$(printf %08d "$first").note" 2>/dev/null)
        [ "$begun" -le "$from" ] 2>/dev/null || {
            printf 'INCOMPLETE seals before %s of stream %s of agent %s are not here, and what is claimed begins before it\n' \
                "$first" "$stream" "$agent"
            whole=INCOMPLETE
        }
    fi
    before=$dir end=$last
    seq -f "$dir/%08.0f.note" "$first" "$last" >"$tmp/notes"
    printf '%s\n' "$dir/$proof.tlog-proof" "keys/$agent.pem" | cat "$tmp/notes" - >>"$tmp/expected-files"
    xargs sha256sum <"$tmp/notes" 2>/dev/null | cut -c 1-64 >"$tmp/hashes"
    xargs cat <"$tmp/notes" >"$tmp/seals" 2>/dev/null
    [ "$(sed -n 1p "$tmp/hashes") $(sed -n '$p' "$tmp/hashes")" = "$first_hash $last_hash" ] ||
        fail "$dir: claim.note names another first or last seal"
    sed '$d' "$tmp/hashes" >"$tmp/before"
    sed -n 's/^prev //p' "$tmp/seals" | sed 1d | diff - "$tmp/before" >"$tmp/out" ||
        fail "$dir: seal $((first + $(sed -n '1s/[^0-9].*//p' "$tmp/out"))) does not follow on the one before"
    seq "$first" "$last" | sed 's/^/seal /' >"$tmp/numbers"
    sed -n '/^seal [0-9]*$/p' "$tmp/seals" | cmp -s - "$tmp/numbers" || fail "$dir: seals out of order"
    note=$(sed -n '$p' "$tmp/notes")
    signed "$note" "keys/$agent.pem" "${origin%/log}/agent/$agent"
    [ "$(sed -n 2p "$note")" = "stream ${origin%/log}/agent/$agent $stream epoch $epoch" ] || fail "$note: of another stream"
    sed 's/note$/jsonl/' "$tmp/notes" >"$tmp/names"
    sed -n 's/^payload //p' "$tmp/seals" | paste -d ' ' - "$tmp/names" | sed '/ 0 /d; s/ [0-9]* /  /' >"$tmp/sums"
    sed 's/^[^ ]*  //' "$tmp/sums" | sort | comm -23 - "$tmp/there" >"$tmp/missing"
    if [ -s "$tmp/missing" ]; then
        while read -r a e s from to; do
            [ "$a $e $s" = "$agent $epoch $stream" ] || continue
            [ "$from" -ge "$first" ] || from=$first
            [ "$to" -le "$last" ] || to=$last
            seq -f "$dir/%08.0f.jsonl" "$from" "$to"
        done <"$tmp/pruned" | sort -u | comm -23 "$tmp/missing" - >"$tmp/out"
        [ ! -s "$tmp/out" ] || fail "$(head -n 1 "$tmp/out"): missing, and no leaf in config/ says that it was pruned"
        sort -k 2 "$tmp/sums" | join -1 2 -v 1 -o 1.1,1.2 - "$tmp/missing" | sed 's/ /  /' >"$tmp/kept"
        mv "$tmp/kept" "$tmp/sums"
        printf 'INCOMPLETE stream %s of agent %s: lines under %s seals were pruned: integrity proved, recomputation impossible\n' \
            "$stream" "$agent" "$(wc -l <"$tmp/missing")"
        whole=INCOMPLETE
    fi
    [ ! -s "$tmp/sums" ] || sha256sum -c --quiet --strict "$tmp/sums" >"$tmp/out" 2>/dev/null ||
        fail "$(head -n 1 "$tmp/out") (its seal)"
    sed 's/^[^ ]*  //' "$tmp/sums" | tee -a "$tmp/lines" >>"$tmp/expected-files"
    printf 'PASS stream %s of agent %s: seals %s to %s\n' "$stream" "$agent" "$first" "$last"
done <"$tmp/streams"
sort -u "$tmp/expected-files" >"$tmp/sorted"
sed -n '/^streams\//p; /^keys\//p' "$tmp/there" | diff - "$tmp/sorted" >"$tmp/out" ||
    fail "$(sed -n '/^[<>]/{s/^..//;p;}' "$tmp/out" | head -n 1): in no stream of claim.note, or missing"
xargs cat <"$tmp/lines" 2>/dev/null | cmp -s - results.jsonl || fail 'results.jsonl: not the lines of the streams'

# Timestamps: of the very bytes of a head, as asked, under the root that the annex names, at the time that they say.
: >"$tmp/stamped"
head=''
for file in timestamps/*; do
    [ -e "$file" ] || continue
    at=${file%.*} size=${file#timestamps/} name=${file#timestamps/*.} root=-
    size=${size%%.*} name=${name%.*}
    [ -e "$at.tsr" ] && [ -e "checkpoints/$size" ] || fail "$file: without its timestamp or its head"
    [ "$file" = "$at.tsr" ] || continue
    if [ -e "$at.pem" ]; then
        cmp -s "$at.pem" "$tmp/pem" || {
            openssl x509 -in "$at.pem" 2>/dev/null | tee "$tmp/pem" | cmp -s - "$at.pem" || fail "$at.pem: no certificate, or more than that"
            known=$(openssl x509 -in "$at.pem" -outform DER | sha256sum | cut -c 1-64)
        }
        root=$known
    fi
    named "authority $name sha256:$root" || {
        echo "NOT CHECKED $file: its root is not in the annex"
        continue
    }
    if [ "$size" != "$head" ]; then
        signed "checkpoints/$size" keys/log.pem "$origin"
        [ "$(sed -n 1,2p "checkpoints/$size" | tr '\n' ' ')" = "$origin $size " ] || fail "checkpoints/$size: no head of $size leaves"
        head=$size
    fi
    openssl ts -query -data "checkpoints/$size" -sha256 -cert -no_nonce 2>/dev/null | tail -c +3 >"$tmp/asked"
    { head -c 56 "$at.tsq" | tail -c +3; tail -c 3 "$at.tsq"; } 2>/dev/null | cmp -s - "$tmp/asked" &&
        openssl ts -query -in "$at.tsq" 2>/dev/null | cmp -s - "$at.tsq" || fail "$at.tsq: no query about checkpoints/$size"
    openssl ts -reply -in "$file" 2>/dev/null | cmp -s - "$file" || fail "$file: no timestamp"
    openssl ts -reply -in "$file" -text 2>/dev/null >"$tmp/said"
    time=$(date -u -d "$(sed -n 's/^Time stamp: \(.*:[0-9]*\)\(\.[0-9]*\)*\( .*\)/\1\3/p' "$tmp/said")" +%s 2>/dev/null) &&
        [ "$(sed -n 2p "$tmp/said")" = 'Status: Granted.' ] &&
        openssl ts -verify -in "$file" -queryfile "$at.tsq" -CAfile "$at.pem" -attime "$time" >/dev/null 2>&1 ||
        fail "$file: no timestamp of checkpoints/$size by $name"
    echo "$size $time $name" >>"$tmp/stamped"
done
sort -n "$tmp/stamped" | tail -n 1 | while read -r size time name; do
    echo "PASS the first $size leaves existed at $(date -u -d "@$time" +%FT%TZ), according to $name (timestamps: $(wc -l <"$tmp/stamped"))"
done
echo 'NOT CHECKED the proofs of the log and the computation: vedette verify . --trust annex.txt --recompute'
[ $whole = OK ] || say 2 "$whole $(wc -l <"$tmp/there") files"
say 0 "OK $(wc -l <"$tmp/there") files, $(wc -l <"$tmp/streams") streams"
