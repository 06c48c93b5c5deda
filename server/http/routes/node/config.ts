/**
 * `/_node/_local/_config`: settings in CouchDB's names, values that are texts. Section `admins` is not in the settings: its keys are
 * server administrators, its values their passwords, which nobody is shown.
 */
import { CouchError } from "../../../../protocol/errors.js";
import { hiddenValue } from "../../../config/runtime-settings.js";
import { readJson } from "../../body.js";
import { type Call, json, type Reply } from "../../call.js";

const adminsSection = "admins";

export function readConfig(call: Call): Reply {
  return json({ ...call.services.runtimeConfig.sections(), [adminsSection]: admins(call) });
}

export function readConfigSection(call: Call): Reply {
  const { section = "" } = call.params;
  return json(section === adminsSection ? admins(call) : call.services.runtimeConfig.section(section));
}

export function readConfigValue(call: Call): Reply {
  const { section, key } = namesIn(call);
  const value = section === adminsSection ? adminValue(call, key) : call.services.runtimeConfig.get(section, key);
  if (value === undefined) throw new CouchError("not_found", "unknown_config_value");
  return json(value);
}

/** Answers the value before, empty when there was none. */
export async function writeConfigValue(call: Call): Promise<Reply> {
  const value = await readJson(call);
  if (typeof value !== "string") throw new CouchError("bad_request", "a JSON string expected");
  const { section, key } = namesIn(call);
  const { runtimeConfig, gateway, log } = call.services;
  if (section === adminsSection) {
    const before = adminValue(call, key) ?? "";
    await gateway.admins.set(key, value);
    log.info({ admin: key, by: call.identity.name }, "an administrator's password was set");
    return json(before);
  }
  const before = await runtimeConfig.set(section, key, value, { kept: isKept(call) });
  log.info({ setting: `${section}/${key}`, by: call.identity.name }, "a setting was changed");
  return json(before);
}

export async function deleteConfigValue(call: Call): Promise<Reply> {
  const { section, key } = namesIn(call);
  const { runtimeConfig, gateway, log } = call.services;
  if (section === adminsSection) {
    if (adminValue(call, key) === undefined) throw new CouchError("not_found", "unknown_config_value");
    await gateway.admins.remove(key);
    log.info({ admin: key, by: call.identity.name }, "an administrator was removed");
    return json(hiddenValue);
  }
  const before = await runtimeConfig.remove(section, key);
  log.info({ setting: `${section}/${key}`, by: call.identity.name }, "a setting was put back");
  return json(before);
}

/** `POST _config/_reload` */
export async function reloadConfig({ services }: Call): Promise<Reply> {
  await services.runtimeConfig.reload();
  return json({ ok: true });
}

/** @throws CouchError always */
export function noDeeperConfig(): never {
  throw new CouchError("not_found", "missing");
}

function admins({ services: { gateway } }: Call): Readonly<Record<string, string>> {
  return Object.fromEntries(gateway.admins.names().map((name) => [name, hiddenValue]));
}

function adminValue({ services: { gateway } }: Call, name: string): string | undefined {
  return gateway.admins.names().includes(name) ? hiddenValue : undefined;
}

function namesIn({ params }: Call): { readonly section: string; readonly key: string } {
  return { section: params["section"] ?? "", key: params["key"] ?? "" };
}

/** As in CouchDB: only until the next start when the client says so. */
function isKept({ headers }: Call): boolean {
  return headers["x-couch-persist"] !== "false";
}
