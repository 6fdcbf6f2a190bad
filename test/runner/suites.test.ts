import assert from 'node:assert/strict'
import { glob } from 'node:fs/promises'
import { test } from 'node:test'
import { NAMED, processesOf, SUITE_NAMES } from './suites.ts'

const FILES = (
  await Array.fromAsync(glob('**/*.test.{ts,mts,js,mjs}', { exclude: ['**/node_modules'] }))
).sort()

test('every file of tests is in exactly one process of one suite', async () => {
  const processes = (await Promise.all(SUITE_NAMES.map(processesOf))).flat()
  const run = processes.flatMap(({ files }) => files).filter((file) => file.includes('.test.'))
  assert.ok(run.length > 300)
  assert.deepEqual(run.toSorted(), FILES)
})

test('every name that the suites have is the beginning of that of a file', () => {
  for (const start of NAMED)
    assert.ok(
      FILES.some((file) => file.startsWith(start)),
      `${start} is no file`,
    )
})
