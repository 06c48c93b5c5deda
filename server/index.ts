/** Settee inside another program: `const settee = await Settee.create(completeConfig({ port: 0 })); await settee.listen();` */
export { type Config, ConfigError, type ConfigInput, completeConfig } from "./config.js";
export { Settee, type SetteeOptions } from "./settee.js";
export { StoreUnavailable } from "./storage/level-store.js";
