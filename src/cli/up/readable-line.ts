import { prettyFactory } from 'pino-pretty'

/**
 * Turns a service's JSON log line (colored for a terminal by default) into one that a person can read:
 * `12:05:01 INFO node is listening {"port":8001}`. Any other line stays as it is. The service's name is in
 * front of the line already.
 */
export function readableLines({ colorize = true } = {}): (line: string) => string {
  const format = prettyFactory({
    colorize,
    singleLine: true,
    ignore: 'pid,hostname,name',
    translateTime: 'SYS:HH:MM:ss',
  })
  return (line) => format(line)?.trimEnd() ?? line
}
