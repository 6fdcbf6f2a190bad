import type { Protocol } from '../protocol.ts'
import type { Action, Recall } from './action.ts'
import type { Command } from './command.ts'
import type { Parcel } from './network.ts'
import { World } from './world.ts'

/**
 * A world of three nodes that a test drives step by step, for schedules that random draws would hardly find.
 */
export class Script {
  readonly world: World

  constructor(
    protocol: Protocol,
    { commands, canChange }: Readonly<{ commands: readonly Command[]; canChange: boolean }>,
  ) {
    this.world = new World({
      nodeCount: 3,
      canChange,
      connectorCount: 3,
      removerCount: 2,
      commands,
      protocol,
    })
  }

  perform(action: Action): void {
    this.world.perform(action)
  }

  /** A connector begins an operation; what it sends stays on its way. */
  begin(operation: number, connector: number, recall: Recall): void {
    this.perform({ kind: 'submit', operation, connector, recall })
  }

  /** A connector begins an operation, and every message arrives. */
  run(operation: number, connector: number, recall: Recall): void {
    this.begin(operation, connector, recall)
    this.deliver(({ kind }) => kind !== 'timer')
  }

  /**
   * Delivers every parcel for which `isMeant` is true, and those that follow from it. A timer runs when no
   * message is left.
   */
  deliver(isMeant: (parcel: Parcel) => boolean): void {
    for (;;) {
      const meant = this.world.network.parcels.filter(isMeant)
      const parcel = meant.find(({ kind }) => kind !== 'timer') ?? meant[0]
      if (parcel === undefined) return
      this.perform({ kind: 'deliver', parcel: parcel.id })
    }
  }
}
