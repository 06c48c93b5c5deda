/** Ends of a replication that fail now and then: before they did what they were asked for, or when it is done and nobody hears of it. */
import { PeerUnavailable } from "../../server/replicator/failures.js";
import type { Source, StreamedRevision, Target } from "../../server/replicator/peer.js";

/** What happens at a call: nothing unusual, a failure before or after it, or the whole process is gone. */
export type Fate = "well" | "before" | "after" | "killed";

/** Calls the session's end in the middle of things. */
export type Kill = () => void;

/** Methods that a session calls, in the hands of fate. */
function unreliable<T extends object>(peer: T, fate: () => Fate, kill: Kill): T {
  return new Proxy(peer, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== "function") return member;
      return (...given: unknown[]) => {
        const result = (): unknown => member.apply(target, given);
        // A stream breaks off where it is read.
        if (name === "fetchStreamed") return broken(result as () => AsyncIterable<StreamedRevision>, fate, kill);
        return (async () => {
          const now = fate();
          if (now === "killed") kill();
          if (now === "before" || now === "killed") throw new PeerUnavailable(`${String(name)} failed`);
          const value = await result();
          if (now === "after") throw new PeerUnavailable(`${String(name)} was done, and its answer lost`);
          return value;
        })();
      };
    },
  });
}

async function* broken(
  stream: () => AsyncIterable<StreamedRevision>,
  fate: () => Fate,
  kill: Kill,
): AsyncIterable<StreamedRevision> {
  for await (const revision of stream()) {
    const now = fate();
    if (now === "killed") kill();
    if (now !== "well") throw new PeerUnavailable("the stream broke off");
    yield revision;
  }
}

export function unreliableSource(source: Source, fate: () => Fate, kill: Kill): Source {
  return unreliable(source, fate, kill);
}

export function unreliableTarget(target: Target, fate: () => Fate, kill: Kill): Target {
  return unreliable(target, fate, kill);
}
