/**
 * Runs the files of tests that the arguments name, in this one process and one after the other. A process for
 * each file costs more than the tests of most files do. A file that cannot be loaded is a test that fails.
 */
import { resolve } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'

for (const file of process.argv.slice(2)) {
  await import(pathToFileURL(resolve(file)).href).catch((error: unknown) => {
    test(`${file} can be loaded`, () => {
      throw error
    })
  })
}
