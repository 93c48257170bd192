"""Control over a socket: proto, codec, servicer, server, client."""
