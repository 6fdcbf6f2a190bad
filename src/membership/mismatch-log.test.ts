import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MismatchLog } from './mismatch-log.ts'

const MEMBER = { nodeId: 'n1', address: 'n1:1' }
const OTHER = { clusterId: 'other', epoch: 3, members: [], tombstoneGraceMs: 3_600_000 }

function aLog() {
  const lines: string[] = []
  const note = (level: string) => (fields: object) => lines.push(`${level} ${JSON.stringify(fields)}`)
  return { log: new MismatchLog({ warn: note('warn'), error: note('error') } as never), lines }
}

test('each finding of another node at the address of a member is a line once, with what was found', () => {
  const { log, lines } = aLog()
  for (let time = 0; time < 3; time += 1) {
    log.report(MEMBER, { nodeId: 'x', membership: undefined })
    log.report(MEMBER, { nodeId: 'y', membership: OTHER })
  }
  assert.deepEqual(lines, [
    'warn {"node":"n1","address":"n1:1","foundNode":"x"}',
    'error {"node":"n1","address":"n1:1","foundNode":"y","foundCluster":"other","foundEpoch":3}',
  ])
})

test('a bounded number of findings is remembered: the one that was made first is forgotten first', () => {
  const { log, lines } = aLog()
  for (let number = 0; number <= 256; number += 1)
    log.report(MEMBER, { nodeId: `x${number}`, membership: undefined })
  log.report(MEMBER, { nodeId: 'x1', membership: undefined })
  assert.equal(lines.length, 257)
  log.report(MEMBER, { nodeId: 'x0', membership: undefined })
  assert.equal(lines.length, 258)
})
