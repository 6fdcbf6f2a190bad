import { closeSync, fsyncSync, openSync } from 'node:fs'

/**
 * Makes the entries of a directory durable. Without it, a new file or directory can be gone after a power
 * cut.
 */
export function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}
