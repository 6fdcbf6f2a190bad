/**
 * A schedule that random draws hardly find: a slow remover takes the stub of a second life of the key for
 * that of the first, because both hold the same promise. It is the reason why a stub gets a promise that no
 * other life has.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EMPTY_RECORD } from '../../register/acceptor.ts'
import { findRemovable, removalRequests } from '../../register/removal.ts'
import { PROTOCOL, type Protocol } from '../protocol.ts'
import type { Command } from './command.ts'
import { GROUP } from './key.ts'
import { Script } from './script.ts'

const COMMANDS: readonly Command[] = [
  { kind: 'create' },
  { kind: 'delete', version: undefined },
  { kind: 'create' },
  { kind: 'delete', version: undefined },
  { kind: 'read' },
  { kind: 'create' },
  { kind: 'create' },
  { kind: 'read' },
]

class Lives extends Script {
  constructor(protocol: Protocol) {
    super(protocol, { commands: COMMANDS, canChange: false })
  }

  /** Every message arrives except these; timers do not run. */
  deliverAll(except: ReadonlySet<number> = new Set()): void {
    this.deliver(({ id, kind }) => kind !== 'timer' && !except.has(id))
  }

  look(remover: number): void {
    for (let node = 0; node < 3; node += 1) this.perform({ kind: 'look', remover })
  }

  grace(remover: number): void {
    this.perform({ kind: 'grace', remover })
  }
}

/** @throws Violation */
function play(protocol: Protocol): void {
  const script = new Lives(protocol)
  const [quick, slow] = [0, 1]
  script.run(0, 0, 'own')
  script.run(1, 0, 'own')
  script.look(quick)
  script.grace(quick)
  script.look(quick)
  script.deliverAll()
  // Stubs of the first life: both removers store them, and wait for a grace time.
  script.look(slow)
  script.look(quick)
  script.grace(quick)
  script.grace(slow)
  script.look(quick)
  script.deliverAll()
  assert.ok(
    script.world.nodes.list.every((node) => node.holding(GROUP) === EMPTY_RECORD),
    'all is removed',
  )

  script.run(2, 0, 'forgotten')
  script.run(3, 0, 'own')
  script.look(quick)
  // A connector learns of the second tombstone after it was reported, and writes a successor: this message
  // stays on its way.
  script.run(4, 1, 'forgotten')
  script.begin(5, 1, 'own')
  const late = new Set(script.world.network.parcels.map(({ id }) => id))
  script.grace(quick)
  script.look(quick)
  script.deliverAll(late)
  // Stubs of the second life, for which no remover has waited yet.
  script.look(slow)
  script.deliverAll(late)
  script.begin(6, 2, 'forgotten')
  script.deliverAll(late)
  script.deliverAll()
  script.run(7, 2, 'own')
  script.world.finish()
}

test('a stub of a second life is not taken for one of the first', () => {
  play(PROTOCOL)
})

test('if a stub kept the promise of its tombstone, it would be: two groups would be created', () => {
  const removal: Protocol['removal'] = {
    ...PROTOCOL.removal,
    find(records) {
      const finding = findRemovable(records)
      return finding.kind === 'old stubs' ? { ...finding, kind: 'stubs' } : finding
    },
    requests: (finding, node, ballot) =>
      removalRequests(finding, node, ballot).filter(({ kind }) => kind !== 'prepare'),
  }
  assert.throws(() => play({ ...PROTOCOL, removal }), /one chain|exactly once/)
})
