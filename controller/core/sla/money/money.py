"""Amounts of money: exact until they are shown, rounded once (S-42)."""

from fractions import Fraction
from typing import Annotated, Final

from msgspec import Meta

Amount = Annotated[
    str, Meta(pattern=r"^[0-9]{1,12}(\.[0-9]{1,4})?$", description='an amount in quotes: "1000.00"')
]
Percent = Annotated[
    str, Meta(pattern=r"^[0-9]{1,4}(\.[0-9]{1,6})?$", description='a percentage in quotes: "10"')
]
PercentSign = Annotated[
    str,
    Meta(pattern=r"^[0-9]{1,4}(\.[0-9]{1,6})?%$", description='a percentage with its sign: "100%"'),
]
Currency = Annotated[
    str, Meta(pattern=r"^[A-Z]{3}$", description="a currency by its three letters: EUR")
]

# ISO 4217: those that have no minor unit, and those with three digits; all others have two.
_DIGITS: Final = dict.fromkeys(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ],
    0,
) | dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3)


def rounded(amount: Fraction, currency: str) -> str:
    """An amount in the currency's minor unit, half up, as a decimal."""
    digits = minor_digits(currency)
    units = (amount * 10**digits + Fraction(1, 2)) // 1
    text = f"{units:0{digits + 1}}"
    return f"{text[:-digits]}.{text[-digits:]}" if digits else text


def minor_digits(currency: str) -> int:
    """How many digits a currency has after the point."""
    return _DIGITS.get(currency, 2)


def share_of(percent: str) -> Fraction:
    """A percentage as a share of 1; the sign may stand behind it."""
    return Fraction(percent.rstrip("%")) / 100


def exact_text(value: Fraction) -> str:
    """A number for a step of a computation: a decimal where there is one, else the fraction."""
    digits = 0
    while digits <= 6 and value.numerator * 10**digits % value.denominator:
        digits += 1
    if digits > 6:
        return f"{value.numerator}/{value.denominator}"
    scaled = str(value.numerator * 10**digits // value.denominator).zfill(digits + 1)
    return f"{scaled[:-digits]}.{scaled[-digits:]}" if digits else scaled
