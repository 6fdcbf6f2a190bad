/** For tests: what nodes answer and hold, where no record is damaged. */
import assert from 'node:assert/strict'
import { isDamage } from '../register/damage.ts'
import type { Answer, Reply } from '../register/messages.ts'
import type { HeldEntry, ScanEntry } from '../rpc/messages.ts'

export function wholeAnswer(reply: Reply | undefined): Answer {
  assert.ok(reply !== undefined && !isDamage(reply), 'the record is whole')
  return reply
}

export function wholeEntry({ key, record }: HeldEntry): ScanEntry {
  assert.ok(!isDamage(record), `the record of '${key}' is whole`)
  return { key, record }
}
