import assert from "node:assert/strict";
import { Writable } from "node:stream";
import { test } from "node:test";
import { createLogger } from "../server/logging.js";

function collected(): { readonly lines: string[]; readonly stream: Writable } {
  const lines: string[] = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      lines.push(String(chunk));
      done();
    },
  });
  return { lines, stream };
}

test("a line is JSON with its level in words, the time in ISO form and what was logged", () => {
  const { lines, stream } = collected();
  createLogger("info", stream).info({ database: "notes" }, "created");
  assert.equal(lines.length, 1);
  const { time, ...rest } = JSON.parse(lines[0] as string);
  assert.deepEqual(rest, { level: "info", database: "notes", msg: "created" });
  assert.equal(new Date(time).toISOString(), time);
});

test("what is below the level is not written", () => {
  const { lines, stream } = collected();
  const log = createLogger("warn", stream);
  log.debug("a request");
  log.info("a change");
  log.warn("some day");
  log.error({ err: new Error("broken", { cause: new Error("disk") }) }, "now");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).level),
    ["warn", "error"],
  );
  assert.match(lines[1] as string, /broken.*disk/);
});
