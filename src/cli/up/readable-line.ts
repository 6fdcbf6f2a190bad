import { prettyFactory } from 'pino-pretty'

/**
 * Turns the JSON log line of a service into a line for people: `12:05:01 INFO node is listening
 * {"port":8001}`. Any other line stays as it is. The name of the service is left out, because `up` prints it
 * in front of the line.
 */
export function readableLines({ colorize }: Readonly<{ colorize: boolean }>): (line: string) => string {
  const format = prettyFactory({
    colorize,
    singleLine: true,
    ignore: 'pid,hostname,name',
    translateTime: 'SYS:HH:MM:ss',
  })
  return (line) => format(line)?.trimEnd() ?? line
}
