import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ManualClock } from '../testing/manual-clock.ts'
import { judgements } from './node-security.ts'

test('each certificate of a node is noted, and each refusal is a line once a minute', () => {
  const noted: string[] = []
  const lines: unknown[] = []
  const clock = new ManualClock()
  const note = judgements(
    { warn: (fields: object, text: string) => lines.push([fields, text]) } as never,
    { note: (address, { subject }) => noted.push(`${address} ${subject}`) },
    clock,
  )
  const certificate = { subject: 'CN=n1' } as never
  note('a:1', certificate, undefined)
  for (let time = 0; time < 5; time += 1) note('a:1', certificate, 'it expired')
  note('b:1', certificate, 'it expired')
  assert.equal(noted.length, 7)
  clock.advance(60_000)
  note('a:1', certificate, 'it expired')
  assert.deepEqual(lines, [
    [{ address: 'a:1', leftOut: 0 }, 'a node was refused: it expired'],
    [{ address: 'b:1', leftOut: 0 }, 'a node was refused: it expired'],
    [{ address: 'a:1', leftOut: 4 }, 'a node was refused: it expired'],
  ])
})
