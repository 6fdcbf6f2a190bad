/** Limits and intervals change only together with the document that lists them. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { LIMITS_DOCUMENT, limitsDocument } from './limits.ts'

test('docs/limits.md lists each duration, size and count of the code, with its value', async () => {
  const text = await readFile(new URL(`../${LIMITS_DOCUMENT}`, import.meta.url), 'utf8')
  const rows = new Set(text.split('\n'))
  const expected = (await limitsDocument()).split('\n')
  const missing = expected.filter((line) => !rows.has(line))
  assert.deepEqual(missing, [], 'if these values are meant, run: node test/limits.ts')
  assert.equal(text, expected.join('\n'), 'run: node test/limits.ts')
  assert.ok(expected.length > 300, `${expected.length} lines: the search for limits finds too little`)
})
