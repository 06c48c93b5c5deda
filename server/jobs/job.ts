/** The one shape of background work. */
export interface Job {
  /** Shown to administrators, e.g. `provisioning-reconciler`. */
  readonly id: string;
  /** Does what there is to do now; resolves when it is done or was stopped. Safe to run again at any time. */
  run(): Promise<void>;
  /** Asks a run under way to end early, and waits for it. */
  stop(): Promise<void>;
}
