"""Parties of a barrier, in a process that a test may kill or stop: ADDRESS TTL BARRIER PARTIES NAME...

Makes a session of TTL seconds and arrives once for each NAME. Prints "arriving", then a line of JSON for each as it ends:
name, reason (null: it passed), generation, index, and the metadata of an error.
"""

import json
import queue
import sys

from contract import Client, coordination_pb, error_of


def outcome(name, call):
    error = call.exception()
    if error is None:
        passed = call.result()
        return {"name": name, "reason": None, "generation": passed.generation, "index": passed.index}
    info = error_of(error)[0]
    return {"name": name, "reason": info.reason, **info.metadata}


def main(address, ttl, barrier, parties, *names):
    plain = Client(address)
    client = plain.in_session(plain.create_session(float(ttl)).name)
    ended = queue.Queue()
    for name in names:
        call = client.coordination.AwaitBarrier.future(
            coordination_pb.AwaitBarrierRequest(barrier=barrier, parties=int(parties), party=name))
        call.add_done_callback(lambda call, name=name: ended.put((name, call)))
    print("arriving", flush=True)
    for _ in names:
        print(json.dumps(outcome(*ended.get())), flush=True)
    plain.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
