import type { Settee } from "../settee.js";

/**
 * Past the log on purpose: this is for the person at the terminal, once, and for nobody who reads logs later. Before the server
 * listens, since a port that is taken must not lose the password.
 */
export function showMadeAdmin({ madeAdmin }: Settee): void {
  if (!madeAdmin) return;
  const { name, password } = madeAdmin;
  process.stdout.write(
    `\n  First start. The administrator is ${name} with the password\n\n      ${password}\n\n  It is not shown again.\n\n`,
  );
}
