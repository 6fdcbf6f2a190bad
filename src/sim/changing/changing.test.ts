import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROTOCOL } from '../protocol.ts'
import { MEMBERSHIP_MUTATIONS } from './mutations.ts'
import { runChanging } from './schedule.ts'

/** Seconds of `npm test`; `npm run sim` looks further. */
const SEEDS = 8_000

test(`no rule breaks in ${SEEDS} schedules of a cluster whose membership changes`, () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { failure } = runChanging(seed, PROTOCOL)
    if (failure === undefined) continue
    const { lines } = runChanging(seed, PROTOCOL, true)
    assert.fail(`seed ${seed}: ${failure.message}\n${lines.slice(-200).join('\n')}`)
  }
})

test('schedules reach every kind of change, and what can happen in its middle', () => {
  const told = Array.from({ length: 400 }, (_, seed) => runChanging(seed, PROTOCOL, true).lines.join('\n'))
  const all = told.join('\n')
  for (const part of [
    /is chosen: n0 n1 n2 → n0 n1 n2 n3$/m, // added
    /is chosen: n0 n1 n2 n3 → n\d n\d n\d$/m, // removed
    /is chosen: n0 n1 n2 → .*n3/m, // replaced
    /loses its disk/,
    /the seal of group ends: decided/,
    /is in epoch 2, not 1/,
    /goes on as c\d+ in epoch \d/,
    / dies$/m,
  ]) {
    assert.match(all, part)
  }
  // Taken back: the epoch behind a joint one has the members of before.
  assert.ok(
    told.some((text) =>
      /epoch 2 is chosen: n0 n1 n2 → .*\n(.*\n)*?.*epoch 3 is chosen: n0 n1 n2$/m.test(text),
    ),
  )
  // Exchanged: the epoch behind a joint one is joint too.
  assert.ok(told.some((text) => /epoch 2 is chosen: .* → (.*\n)*?.*epoch 3 is chosen: .* → /m.test(text)))
})

test('the same seed gives the same conversation', () => {
  for (let seed = 1; seed <= 50; seed += 1)
    assert.deepEqual(runChanging(seed, PROTOCOL, true).lines, runChanging(seed, PROTOCOL, true).lines)
})

for (const { name, protocol, seedsMax } of MEMBERSHIP_MUTATIONS) {
  test(`the checkers notice when ${name}`, (t) => {
    for (let seed = 1; seed <= seedsMax; seed += 1) {
      const { failure } = runChanging(seed, protocol)
      if (failure === undefined) continue
      t.diagnostic(`seed ${seed}: ${failure.message}`)
      return
    }
    assert.fail(`not noticed in ${seedsMax} seeds`)
  })
}
