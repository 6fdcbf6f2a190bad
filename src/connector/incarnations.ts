import { randomBytes } from 'node:crypto'

/**
 * Draws incarnations that no other process draws. A count makes them: drawing each anew took a tenth of a
 * create.
 */
export function incarnations(): () => string {
  const process = randomBytes(8).toString('hex')
  let count = 0
  return () => {
    count += 1
    return `${process}-${count.toString(36)}`
  }
}
