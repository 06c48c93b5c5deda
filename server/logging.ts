/**
 * The log: JSON lines on standard output. A level says who acts on a line: error = somebody should look now, warn =
 * somebody should look some day, info = a change of state, debug = each request.
 *
 * No line ever holds a password, an `Authorization` or `Cookie` header, a body, or a query string (it may hold keys of
 * documents): what is logged is picked by name, never a request or its headers as a whole.
 */
import { type DestinationStream, type Logger, pino } from "pino";

export type { Logger } from "pino";

export function createLogger(level: string, destination?: DestinationStream): Logger {
  // Written at once: the last lines before an end are the ones that explain it.
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    destination ?? pino.destination({ dest: 1, sync: true }),
  );
}
