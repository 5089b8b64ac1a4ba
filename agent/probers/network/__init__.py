"""What all probers need of the network: deadlines, faults, names, admitted addresses, streams, TLS."""
