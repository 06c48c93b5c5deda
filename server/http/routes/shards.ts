/** `/{db}/_shards`: where a database lies. Here that is one shard, the whole range, on the one node. */
import { type DatabaseCall, json, type Reply } from "../call.js";
import { nodeName } from "../node-name.js";

const wholeRange = "00000000-ffffffff";

export function readShards(_call: DatabaseCall): Reply {
  return json({ shards: { [wholeRange]: [nodeName] } });
}

export function readShardOfDocument(_call: DatabaseCall): Reply {
  return json({ range: wholeRange, nodes: [nodeName] });
}
