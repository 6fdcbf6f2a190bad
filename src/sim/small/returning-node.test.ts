/**
 * A joining node comes back empty, is proposed again, and is shown older epochs in between. The
 * seeds 34050918018225, 34050918027641 and 34050918078384 of the small world found it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PROTOCOL } from '../protocol.ts'
import { formatEpoch } from './epoch.ts'
import type { Parcel } from './network.ts'
import { run } from './schedule.ts'
import { Script } from './script.ts'

const [CARRIER, LAGGARD] = [0, 1]
const CREATE = 0

function isOf(place: number): (parcel: Parcel) => boolean {
  return ({ sender }) => sender?.connector.place === place
}

/**
 * Epoch 4 names node 3, which has ended: it was shown epoch 2, which names it, and then epoch 3, which does
 * not.
 */
function namedAfterItsEnd(): Script {
  const script = new Script(PROTOCOL, { commands: [{ kind: 'create' }, { kind: 'read' }], canChange: true })
  const newest = () => formatEpoch(script.world.oracle.newest)
  script.perform({ kind: 'change', connector: CARRIER, change: { kind: 'replace', member: 2 } })
  script.deliver(isOf(CARRIER))
  assert.equal(newest(), 'epoch 2 (n0 n1 n2 → n0 n1 n3)')
  script.perform({ kind: 'watch', connector: LAGGARD })
  script.deliver(isOf(LAGGARD))

  script.perform({ kind: 'lose disk', node: 3 })
  script.perform({ kind: 'discover', connector: CARRIER, skipped: undefined })
  script.deliver(isOf(CARRIER))
  assert.equal(newest(), 'epoch 3 (n0 n1 n2 → n0 n1 n4)')

  script.perform({ kind: 'lose disk', node: 4 })
  script.perform({ kind: 'return disk', node: 3 })
  script.perform({ kind: 'restart', node: 3 })
  script.perform({ kind: 'discover', connector: CARRIER, skipped: undefined })
  script.perform({ kind: 'show', connector: LAGGARD, node: 3 })
  assert.equal(script.world.nodes.list[3]!.epoch?.number, 2)
  script.perform({ kind: 'discover', connector: CARRIER, skipped: undefined })
  assert.equal(script.world.nodes.list[3]!.isUp, false)
  script.deliver(isOf(CARRIER))
  assert.equal(newest(), 'epoch 4 (n0 n1 n2 → n0 n1 n3)')
  return script
}

/** The connector that carries out the change does all that it can, and clients create and read the group. */
function carryOn(script: Script): void {
  for (let turn = 0; turn < 10; turn += 1) {
    for (const node of [0, 1, 2, 3]) script.perform({ kind: 'show', connector: CARRIER, node })
    script.perform({ kind: 'transfer', connector: CARRIER, skipped: undefined })
    script.deliver(isOf(CARRIER))
  }
}

test('a node that ends although a later membership names it joins when it is started again', () => {
  const script = namedAfterItsEnd()
  script.perform({ kind: 'restart', node: 3 })
  carryOn(script)
  assert.equal(formatEpoch(script.world.oracle.newest), 'epoch 5 (n0 n1 n3)')
  script.run(CREATE, CARRIER, 'own')
  script.world.finish()
})

test('until it is started again nothing is lost: clients are served, and the change waits', () => {
  const script = namedAfterItsEnd()
  carryOn(script)
  assert.equal(script.world.oracle.newest.number, 4)
  script.run(CREATE, CARRIER, 'own')
  assert.deepEqual(script.world.connectors.pending, [])
  script.world.finish()
})

for (const seed of [34_050_918_018_225, 34_050_918_027_641, 34_050_918_078_384]) {
  test(`every change of seed ${seed} ends`, () => {
    assert.equal(run(seed, PROTOCOL).failure, undefined)
  })
}
