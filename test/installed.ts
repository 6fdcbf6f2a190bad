/** Programs that tests need and that `npm ci` does not install. */
import assert from 'node:assert/strict'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Fails with the command that installs `program`, when it is not in the PATH. `debian` is the name of its
 * package.
 */
export function assertInstalled(program: string, debian = program): void {
  const directories = (process.env.PATH ?? '').split(delimiter)
  const isThere = directories.some((directory) => isExecutable(join(directory, program)))
  assert.ok(isThere, `this test needs ${program}: install it (Debian and Ubuntu: apt-get install ${debian})`)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
