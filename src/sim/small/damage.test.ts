/**
 * Schedules of damaged records that random draws hardly find. They are the reason why a node with a damaged
 * record counts as knowing the key when keys are transferred, and why the record heals only above every
 * promise that its node can have given.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginTransfer } from '../../membership/key-transfer.ts'
import { isDamage } from '../../register/damage.ts'
import { asBlank, withDamage, withTransfer } from '../broken-protocol.ts'
import { Violation } from '../checkers/violation.ts'
import { PROTOCOL, type Protocol } from '../protocol.ts'
import { GROUP } from './key.ts'
import type { Parcel } from './network.ts'
import { Script } from './script.ts'

function isOf(place: number): (parcel: Parcel) => boolean {
  return ({ sender }) => sender?.connector.place === place
}

/**
 * A group is created on nodes 0 and 2. Node 3 replaces node 2, and the record of node 0 is damaged.
 *
 * @throws Violation
 */
function handOver(protocol: Protocol): void {
  const [carrier, writer] = [0, 1]
  const script = new Script(protocol, { commands: [{ kind: 'create' }, { kind: 'read' }], canChange: true })
  const { world } = script
  script.perform({ kind: 'suspect', connector: writer, node: 1, isSuspect: true })
  script.begin(0, writer, 'own')
  script.deliver((parcel) => isOf(writer)(parcel) && parcel.node !== 1)
  assert.equal(world.connectors.pending.length, 0, 'the group is created')
  script.perform({ kind: 'change', connector: carrier, change: { kind: 'replace', member: 2 } })
  script.deliver(isOf(carrier))
  script.perform({ kind: 'damage', node: 0, key: GROUP })
  for (let turn = 0; turn < 10; turn += 1) {
    for (const node of [0, 1, 3]) script.perform({ kind: 'show', connector: carrier, node })
    script.perform({ kind: 'transfer', connector: carrier, skipped: 2 })
    script.deliver(isOf(carrier))
  }
  assert.equal(world.oracle.newest.number, 3)
  const reader = world.connectors.list.length
  world.connectors.add(world.oracle.newest)
  script.perform({ kind: 'suspect', connector: reader, node: 0, isSuspect: true })
  script.begin(1, reader, 'own')
  script.deliver(isOf(reader))
  world.finish()
}

test('a group that only a damaged record shows is still there after a handover', () => {
  handOver(PROTOCOL)
})

test('it would be lost if a transfer took a damaged record for a missing one', () => {
  const begin: Protocol['membership']['transfer']['begin'] = (holdings, handover) =>
    beginTransfer(holdings.map(asBlank), handover)
  assert.throws(() => handOver(withTransfer({ begin })), Violation)
})

/**
 * Node 0 promises a high ballot, and forgets it. Connectors settle the key without node 0, twice, and teach
 * node 0 the result. Then node 1 makes the same promise, a group is updated on nodes 0 and 2, and the owner
 * of the high ballot goes on.
 *
 * @throws Violation
 */
function promiseAndForget(protocol: Protocol): void {
  const [mender, writer, owner] = [0, 1, 2]
  const commands = [
    { kind: 'create' },
    { kind: 'settle' },
    { kind: 'update', version: undefined },
    { kind: 'read' },
  ] as const
  const script = new Script(protocol, { commands, canChange: false })
  const { world } = script
  const { network, nodes, oracle } = world
  // Reported promises are not checked here: the chosen states show the harm.
  oracle.told = () => undefined
  script.run(0, mender, 'own')
  script.begin(1, owner, 'own')
  for (let turn = 0; turn < 10; turn += 1) {
    for (const { id, kind } of network.parcels.filter(isOf(owner)))
      script.perform({ kind: kind === 'request' ? 'lose' : 'deliver', parcel: id, isLate: false })
    script.deliver((parcel) => isOf(owner)(parcel) && parcel.kind !== 'request')
  }
  script.deliver((parcel) => isOf(owner)(parcel) && parcel.node === 0 && parcel.kind !== 'timer')
  script.perform({ kind: 'damage', node: 0, key: GROUP })
  for (let turn = 0; turn < 2; turn += 1) {
    script.perform({ kind: 'mend', connector: mender, key: GROUP })
    script.deliver((parcel) => isOf(mender)(parcel))
  }
  assert.ok(!isDamage(nodes.list[0]!.holding(GROUP)), 'the record has healed')
  script.deliver((parcel) => isOf(owner)(parcel) && parcel.node === 1 && parcel.request?.kind === 'prepare')
  script.perform({ kind: 'suspect', connector: writer, node: 1, isSuspect: true })
  script.begin(2, writer, 'no view')
  script.deliver((parcel) => isOf(writer)(parcel) && parcel.node !== 1)
  assert.ok(!world.connectors.pending.some(({ number }) => number === 2), 'the group is updated')
  script.deliver(isOf(owner))
  script.run(3, mender, 'no view')
  world.finish()
}

test('a node keeps the promises that it has forgotten, once its record has healed', () => {
  promiseAndForget(PROTOCOL)
})

test('it would not keep them if its record healed at any ballot that was chosen without it after the damage', () => {
  const blind = withDamage({ tell: () => ({ promiseBound: 0 }) })
  assert.throws(() => promiseAndForget(blind), /chosen states form one chain/)
})
