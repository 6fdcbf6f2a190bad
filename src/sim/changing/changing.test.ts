import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planReplace } from '../../membership/plan-change.ts'
import { Violation } from '../checkers/violation.ts'
import { PROTOCOL, type Protocol } from '../protocol.ts'
import { MEMBERSHIP_MUTATIONS } from './mutations.ts'
import { runChanging } from './schedule.ts'
import { ChangingWorld, type Connector, type Parcel } from './world.ts'

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

/**
 * Keys are listed while a connector of the epoch before still writes: the two nodes that list nothing have
 * yet to promise and to vote. Found by thinking: 200,000 seeds did not play it.
 */
function listTooEarly(protocol: Protocol): void {
  const world = new ChangingWorld(3, 2, protocol, false)
  const [carrier, writer] = world.connectors as [Connector, Connector]
  const deliver = (isMeant: (parcel: Parcel) => boolean) => {
    for (;;) {
      const meant = world.parcels.filter(isMeant)
      const parcel = meant.find(({ kind }) => kind !== 'timer') ?? meant[0]
      if (parcel === undefined) return
      world.parcels.splice(world.parcels.indexOf(parcel), 1)
      world.deliver(parcel)
      world.runLater()
    }
  }
  // n3 takes the place of n2. It is chosen, and no node but n3 has heard of it yet.
  world.change(carrier, (current, newcomer) => planReplace(current, 'n2', newcomer))
  deliver(({ connector }) => connector === carrier)
  assert.equal(carrier.life.membership.epoch, 2)
  for (const node of [0, 1, 3]) world.look(carrier, node)
  // In the epoch before, a group is created on n1 and n2.
  world.suspect(writer, 0, true)
  world.submit(writer, 0, { kind: 'create' })
  deliver(({ connector, life, node }) => connector === writer && life.membership.epoch === 1 && node !== 0)
  // What is known is sealed, n3 has it, and the next epoch begins.
  for (let turn = 0; turn < 10; turn += 1) {
    deliver(({ connector, life }) => connector === carrier || life.membership.epoch > 1)
    for (const node of [0, 1, 3]) world.look(carrier, node)
  }
  assert.equal(world.newest.epoch, 3)
  const reader = world.addConnector(world.newest)
  world.suspect(
    reader,
    reader.life.nodes.findIndex(({ nodeId }) => nodeId === 'n1'),
    true,
  )
  world.submit(reader, 1, { kind: 'read' })
  deliver(({ connector }) => connector === reader)
  world.finish(2)
}

test('a group that is created while keys are listed is there in the next epoch', () => {
  listTooEarly(PROTOCOL)
})

test('the checkers notice when keys are listed by nodes that have not adopted the joint epoch', () => {
  const membership = { ...PROTOCOL.membership, doesListAdopt: false }
  assert.throws(() => listTooEarly({ ...PROTOCOL, membership }), Violation)
})
