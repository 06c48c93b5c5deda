/** `GET /_active_tasks`: long work under way. */
import { type Call, json, type Reply } from "../call.js";
import { nodeName } from "../node-name.js";

export function activeTasks({ services: { databases } }: Call): Reply {
  return json(databases.tasks.list().map((task) => ({ node: nodeName, ...task })));
}
