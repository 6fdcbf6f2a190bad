import { closeSync, fsyncSync, openSync } from 'node:fs'

/**
 * Makes the entries of a directory durable: without it, a new file or directory may be gone after a power
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
