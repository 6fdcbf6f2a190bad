import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MUTATIONS } from '../mutations.ts'
import { PROTOCOL } from '../protocol.ts'
import { run } from './schedule.ts'
import { assertSchedulesHold, SEARCHES } from './searches.ts'
import { replay, report, shrink } from './shrink.ts'
import { Teller } from './teller.ts'

/** The conversations of this many seeds show all that schedules reach. */
const TOLD_SEEDS = 400

function conversation(seed: number): string {
  const { options, actions } = run(seed, PROTOCOL)
  const teller = new Teller()
  replay(options, actions, teller)
  return teller.lines.join('\n')
}

for (const search of SEARCHES) {
  test(`no rule breaks in ${search.seeds} schedules of ${search.of}`, () => {
    assertSchedulesHold(search, search.seeds)
  })
}

test('the same seed gives the same schedule and the same conversation', () => {
  for (let seed = 1; seed <= 30; seed += 1) {
    assert.deepEqual(run(seed, PROTOCOL).actions, run(seed, PROTOCOL).actions)
    assert.equal(conversation(seed), conversation(seed))
  }
  assert.notEqual(conversation(1), conversation(2))
})

test('schedules reach every kind of round, of fault, and of change, and what can happen in the middle of a change', () => {
  const told = Array.from({ length: TOLD_SEEDS }, (_, seed) => conversation(seed))
  for (const part of [
    /accept \d+\.fast .*, next/,
    /accept \d+\.\d+ .*, next \d+\.\d+\n/,
    /prepare \d+\.\d+/,
    /refused to accept/,
    /learn \d/,
    /mark \d/,
    /r\d → n\d {2}stub \d/,
    /r\d → n\d {2}drop \d/,
    /has waited for the grace time/,
    /: settle/,
    / crashes/,
    /epoch 2 \(n0 n1 n2 → n0 n1 n2 n3\) is chosen/, // added
    /epoch 2 \(n0 n1 n2 n3 → n\d n\d n\d\) is chosen/, // removed
    /epoch 2 \(n0 n1 n2 → .*n3.*\) is chosen/, // replaced
    /epoch 2 \(n0 n1 n2 → .*\) is chosen(.*\n)*?.*epoch 3 \(n0 n1 n2\) is chosen/, // taken back
    /epoch 2 \(.* → .*\) is chosen(.*\n)*?.*epoch 3 \(.* → .*\) is chosen/, // exchanged
    /the membership: accept \d/,
    /begins the change to epoch \d/,
    /ends the change to epoch \d: unknown/,
    /begins a look at the membership/,
    /asks .* who they are/,
    /is refused: members_unreachable/,
    /follows to epoch \d/,
    /adopts epoch \d/,
    /list all that you hold/,
    /ends the seal of the group: decided/,
    /ends the seal of the membership: decided/,
    /does not act on it: it is in epoch/,
    /learns that it is no member any more/,
    /loses its disk, and n\d starts in its place/,
    /the disk of n\d is back/,
    / dies;/,
    /is answered: unknown/,
    /is answered: not_applied/,
    /the disk of n\d spoils its record of the (group|membership)/,
    /n\d invents epoch \d/,
    /begins the mending of the group/,
    /no answer to accept, damaged, promised at most round \d/,
    /has healed its record of the group/,
    /has healed its record of the membership/,
  ]) {
    assert.ok(
      told.some((text) => part.test(text)),
      `${part} is reached`,
    )
  }
})

test('a failed schedule is shortened, still fails for the same reason, and reads like a conversation', () => {
  const { protocol, profile } = MUTATIONS.find(({ name }) => name === 'a node accepts below its promise')!
  let seed = 1
  let failed = run(seed, protocol, profile)
  while (failed.failure === undefined) {
    seed += 1
    failed = run(seed, protocol, profile)
  }
  const shortest = shrink(failed)
  assert.ok(shortest.length < failed.actions.length / 2)
  assert.equal(replay(failed.options, shortest)?.name, 'Violation')
  assert.match(report(seed, failed), /c\d → n\d {2}accept \d+\.(fast|\d+) \d+\.\d+@\d/)
})
