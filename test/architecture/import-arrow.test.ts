import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { violations } from "./import-arrow.js";
import { importsOf, sourceFiles } from "./source-files.js";

const file = (path: string, text: string) => ({ path, text });

test("nothing imports against the arrow", () => {
  const files = sourceFiles("protocol", "server", "client");
  assert.ok(files.length > 50, "the sources were not found");
  assert.ok(files.flatMap(importsOf).length > 200, "their imports were not found");
  assert.deepEqual(files.flatMap(violations), []);
});

describe("the arrow sees", () => {
  const refused: readonly (readonly [string, string, string])[] = [
    ["server/storage/a.ts", 'import { x } from "../documents/b.js";', "storage lies below documents or beside it"],
    ["server/storage/a.ts", 'import { x } from "../sandbox/b.js";', "import from protocol, or let sandbox hand it in"],
    [
      "server/documents/changes/a.ts",
      'import type { X } from "../../http/call.js";',
      "import from protocol, server/storage, server/sandbox,",
    ],
    ["server/gateway/a.ts", 'const x = await import("../http/call.js");', "gateway lies below http"],
    ["server/http/a.ts", 'export * from "../main.js";', "http lies below main"],
    ["server/gateway/a.ts", 'import { x } from "../commands/b.js";', "gateway lies below main"],
    ["server/http/a.ts", 'import {\n  x,\n  y,\n} from "../main.js";', "http lies below main"],
    ["server/http/a.ts", 'import { x } from "../../test/helpers/b.js";', "no folder of the server"],
    ["server/documents/a.ts", 'import { Level } from "level";', "only server/storage/ may"],
    ["server/gateway/a.ts", 'import fastify from "fastify";', "only server/http/ may"],
    ["server/http/a.ts", 'import { spawn } from "node:child_process";', "starts no programs"],
    ["server/http/a.ts", 'const { spawn } = require("child_process");', "starts no programs"],
    ["protocol/a.ts", 'import { readFileSync } from "node:fs";', "import from protocol/ or zod"],
    ["protocol/a.ts", 'import { x } from "../server/storage/b.js";', "import from nowhere else"],
    ["client/sdk/a.ts", 'import { x } from "../../server/config.js";', "import from protocol/"],
  ];
  for (const [path, text, reason] of refused) {
    test(`${path}: ${text.replaceAll("\n", " ")}`, () => {
      const [found = "nothing", ...more] = violations(file(path, text));
      assert.ok(found.includes(reason), found);
      assert.deepEqual(more, []);
    });
  }

  const allowed: readonly (readonly [string, string])[] = [
    ["server/http/routes/a.ts", 'import { x } from "../../gateway/access.js";'],
    ["server/http/services.ts", 'import type { Config } from "../config.js";'],
    ["server/settee.ts", 'import { x } from "./http/http-server.js";'],
    ["server/commands/a.ts", 'import { x } from "../settee.js";'],
    ["server/storage/level-store.ts", 'import { Level } from "level";'],
    ["client/sdk/a.ts", 'import { x } from "../../protocol/ids.js";'],
    ["server/storage/a.ts", '/** import { x } from "../http/call.js" would be wrong */\n// import "../http/call.js"'],
  ];
  for (const [path, text] of allowed) {
    test(`no fault in ${path}: ${text.replaceAll("\n", " ")}`, () => {
      assert.deepEqual(violations(file(path, text)), []);
    });
  }
});
