import { InvalidArgumentError } from 'commander'

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 }

/** A hundred years: more is a mistake. */
const SECONDS_MAX = 100 * 365 * 86_400

/** The seconds of a duration like `30s`, `90m`, `12h` or `90d`. @throws InvalidArgumentError */
export function toSeconds(text: string): number {
  const [, digits, unit] = /^(\d{1,10})([smhd])$/.exec(text) ?? []
  const seconds = Number(digits) * (UNITS[unit ?? ''] ?? Number.NaN)
  if (!(seconds > 0 && seconds <= SECONDS_MAX)) {
    throw new InvalidArgumentError('Expected a duration, like 90d, 12h, 30m or 45s.')
  }
  return seconds
}
