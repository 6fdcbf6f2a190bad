import assert from 'node:assert/strict'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Operation } from './operation.ts'
import { checkHistoryPath, saveHistory } from './save-history.ts'

test('a history is saved in the order of its calls, and never over another one', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'cohort-history-'))
  try {
    const path = join(directory, 'history.jsonl')
    const operations = [
      { number: 2, calledAt: 3 },
      { number: 1, calledAt: 1 },
    ] as Operation[]
    await checkHistoryPath(path)
    await saveHistory(path, { run: 'r' }, operations)
    await assert.rejects(checkHistoryPath(path), /exists already/)
    await assert.rejects(checkHistoryPath(join(directory, 'nowhere', 'history')), /cannot write to/)
    const saved = await readFile(path, 'utf8')
    assert.equal(saved, '{"run":"r"}\n{"number":1,"calledAt":1}\n{"number":2,"calledAt":3}\n')
    await assert.rejects(saveHistory(path, { run: 's' }, []), { code: 'EEXIST' })
    assert.equal(await readFile(path, 'utf8'), saved)
  } finally {
    await rm(directory, { recursive: true })
  }
})
