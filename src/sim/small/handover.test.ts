/**
 * A schedule that random draws hardly find: a group is created in the epoch before, on two nodes, just after
 * one of them has listed that it holds nothing. It is the reason why nodes list their keys only after they
 * have adopted the joint epoch durably.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Violation } from '../checkers/violation.ts'
import { type MembershipRules, PROTOCOL, type Protocol } from '../protocol.ts'
import type { Command } from './command.ts'
import type { Parcel } from './network.ts'
import { Script } from './script.ts'

const COMMANDS: readonly Command[] = [{ kind: 'create' }, { kind: 'read' }]

const [CARRIER, WRITER] = [0, 1]

/** Node 3 replaces node 2. A connector that does not know this creates a group on nodes 1 and 2. */
class Handover {
  readonly #script: Script

  constructor(protocol: Protocol) {
    this.#script = new Script(protocol, { commands: COMMANDS, canChange: true })
  }

  /** The change is chosen, and no node knows it yet. */
  begin(): void {
    this.#script.perform({ kind: 'change', connector: CARRIER, change: { kind: 'replace', member: 2 } })
    this.#script.deliver(isOf(CARRIER))
    assert.equal(this.#script.world.connectors.list[CARRIER]!.epoch.number, 2)
  }

  /** The nodes that stay or join learn of the joint epoch. */
  show(): void {
    for (const node of [0, 1, 3]) this.#script.perform({ kind: 'show', connector: CARRIER, node })
  }

  /** Those nodes list what they hold, if they may. */
  list(): void {
    this.#script.perform({ kind: 'transfer', connector: CARRIER, skipped: 2 })
    this.#script.deliver(({ kind }) => kind === 'list')
  }

  crash(node: number): void {
    this.#script.perform({ kind: 'crash', node })
    this.#script.perform({ kind: 'restart', node })
  }

  /** The writer suspects node 0. */
  write(): void {
    this.#script.perform({ kind: 'suspect', connector: WRITER, node: 0, isSuspect: true })
    this.#script.begin(0, WRITER, 'own')
    this.#script.deliver((parcel) => isOf(WRITER)(parcel) && parcel.epoch.number === 1 && parcel.node !== 0)
  }

  /** The change is carried out, and a connector of the new epoch reads from nodes 0 and 3. */
  finish(): void {
    const { world } = this.#script
    for (let turn = 0; turn < 10; turn += 1) {
      this.#script.deliver((parcel) => isOf(CARRIER)(parcel) || parcel.epoch.number > 1)
      this.show()
      this.#script.perform({ kind: 'transfer', connector: CARRIER, skipped: 2 })
    }
    assert.equal(world.oracle.newest.number, 3)
    const reader = world.connectors.list.length
    world.connectors.add(world.oracle.newest)
    this.#script.perform({ kind: 'suspect', connector: reader, node: 1, isSuspect: true })
    this.#script.begin(1, reader, 'own')
    this.#script.deliver(isOf(reader))
    world.finish()
  }
}

function isOf(place: number): (parcel: Parcel) => boolean {
  return ({ sender }) => sender?.connector.place === place
}

function breaking(rules: Partial<MembershipRules>): Protocol {
  return { ...PROTOCOL, membership: { ...PROTOCOL.membership, ...rules } }
}

/** @throws Violation */
function writeAfterListing(protocol: Protocol): void {
  const handover = new Handover(protocol)
  handover.begin()
  handover.list()
  handover.write()
  handover.finish()
}

/** The same, but the node that has listed its keys crashes. @throws Violation */
function crashAfterListing(protocol: Protocol): void {
  const handover = new Handover(protocol)
  handover.begin()
  handover.show()
  handover.list()
  handover.crash(1)
  handover.write()
  handover.finish()
}

test('a group that is created while keys are listed exists in the next epoch', () => {
  writeAfterListing(PROTOCOL)
  crashAfterListing(PROTOCOL)
})

test('it would be lost if nodes listed their keys before they have adopted the joint epoch', () => {
  assert.throws(() => writeAfterListing(breaking({ mayBeListed: () => true })), Violation)
})

test('it would be lost if a node could forget in a crash that it has adopted the joint epoch', () => {
  assert.throws(() => crashAfterListing(breaking({ adoptionIsSaved: 'with a record' })), Violation)
})
