/**
 * Searches for a schedule that breaks a rule: in the simulator with new seeds, and in the models of the
 * protocol.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newMemberProtocol } from '../../src/sim/large/connector-process.ts'
import { assertSystemsHold } from '../../src/sim/large/searches.ts'
import { runLarge } from '../../src/sim/large/world.ts'
import { assertMembersHold } from '../../src/sim/members/searches.ts'
import { PROTOCOL } from '../../src/sim/protocol.ts'
import { assertSchedulesHold, SEARCHES } from '../../src/sim/small/searches.ts'
import { assertWatchesHold } from '../../src/sim/watch/searches.ts'
import { assertInstalled } from '../installed.ts'
import { runProgram, runScript } from './run-program.ts'

const MINUTE_MS = 60_000

/** `make test` runs fewer of the same seeds. */
const MEMBER_SEEDS = 4_000
const WATCH_SEEDS = 4_000
/** Of these seeds, the last ones change the membership in every way. */
const SYSTEM_SEEDS = Array.from({ length: 60 }, (_, index) => index + 1)

for (const search of SEARCHES) {
  test(`no rule breaks in ${search.longSeeds} schedules of ${search.of}`, () => {
    assertSchedulesHold(search, search.longSeeds)
  })
}

test(`no rule of group members breaks in ${MEMBER_SEEDS} runs`, async () => {
  await assertMembersHold(MEMBER_SEEDS)
})

test(`no change is missed in ${WATCH_SEEDS} schedules of calls, reads, votes and restarts`, () => {
  assertWatchesHold(WATCH_SEEDS)
})

test('no rule breaks in 12 whole systems whose clients add, check and remove members', async () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const { description, failure } = await runLarge(seed, PROTOCOL, { newMemberProtocol })
    assert.equal(failure, undefined, `seed ${seed}, ${description}: ${failure?.message}`)
  }
})

test(`no rule breaks in ${SYSTEM_SEEDS.length} runs of a whole system, and it recovers from each`, async () => {
  await assertSystemsHold(SYSTEM_SEEDS)
})

test('no rule breaks in ten minutes of new seeds in every world of the simulator', async (t) => {
  t.diagnostic(await runScript(15 * MINUTE_MS, 'src/sim/main.ts', '--minutes', '10'))
})

test('every search of the models of the protocol ends as it is expected to', async (t) => {
  assertInstalled('gcc')
  assertInstalled('make')
  t.diagnostic(await runProgram(25 * MINUTE_MS, 'spec/run.sh'))
})
