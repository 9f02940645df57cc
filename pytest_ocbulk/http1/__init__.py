"""HTTP/1.1 on a socket of our own: bytes in, requests out, answers back, with every accident on the way.

reader        bytes -> requests (the parser is httptools; the limits are ours)
reception     one request while its body arrives
transmission  one answer -> bytes
sender        writes it, no faster than the client reads
connection    the turns they take on one socket
site          what the connections of a server share; what an app is
worker        the thread beside the loop, for what takes long
limits        how much a client may ask for
listening     the socket that connections come to, and why there is none
running       one run of a server: its timers, its worker, its end
"""
