// A PostgreSQL proxy on a unix socket that breaks connections at chosen moments.

/// The program, for `python3 -c PROGRAM LISTEN TARGET FAULT[,FAULT...]`.
///
/// Faults are used up in turn, one per chance; then the proxy is faultless.
/// - `after`: the server gets COMMIT and answers; the client never hears it
/// - `before`: COMMIT never reaches the server
/// - `late`: the client is dropped at once, the server gets COMMIT half a second later
/// - `copy`: the connection breaks in the middle of COPY
/// - `none`: nothing happens this time
let faultyProxy = """
    import os
    import socket
    import sys
    import threading
    import time

    COMMIT = b"Q\\x00\\x00\\x00\\x0bCOMMIT\\x00"
    faults = sys.argv[3].split(",")
    lock = threading.Lock()


    def take_fault(*kinds):
        with lock:
            if faults and faults[0] in kinds:
                return faults.pop(0)
        return None


    def relay_answers(server, client):
        try:
            while data := server.recv(65536):
                client.sendall(data)
        except OSError:
            pass
        finish(client)


    def finish(*sockets):
        for each in sockets:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


    def serve(client):
        server = socket.socket(socket.AF_UNIX)
        server.connect(sys.argv[2])
        threading.Thread(target=relay_answers, args=(server, client), daemon=True).start()
        try:
            while data := client.recv(65536):
                if b"PGCOPY\\n" in data and take_fault("copy"):
                    break
                fault = take_fault("after", "before", "late", "none") if COMMIT in data else None
                if fault == "before":
                    break
                if fault in ("after", "late"):
                    finish(client)
                    time.sleep(0.5 if fault == "late" else 0)
                    server.sendall(data)
                    time.sleep(0.05)
                    break
                server.sendall(data)
        except OSError:
            pass
        finish(client, server)


    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    os.chmod(sys.argv[1], 0o700)
    listener.listen(16)
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
    """
