import { API_KEY_NAMESPACE } from '../../engines/cohort/register-key-store.ts'
import { formatBallot } from '../../register/ballot.ts'
import type { KeyRecord } from '../../register/messages.ts'
import { formatState } from '../../register/state.ts'
import { compareKeys } from '../../rpc/key-order.ts'
import { isJoint } from '../../rpc/membership.ts'
import { Violation } from '../checkers/violation.ts'
import { formatRecord } from '../small/teller.ts'
import type { Clients } from './clients.ts'
import type { ConnectorProcess } from './connector-process.ts'
import type { GroupCommand } from './group-model.ts'
import type { Machine } from './machine.ts'
import type { Machines } from './machines.ts'
import type { MemberClients } from './member-clients.ts'
import { formatMembership, type Observer } from './observer.ts'
import type { Operator } from './operator.ts'
import type { Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'
import type { Watchers } from './watchers.ts'
import type { Ending } from './witness.ts'

/**
 * The longest time from the healing of all faults until every operation succeeds. Timers that were set before
 * must run out first, and on the slowest clock the three timeouts of a batch take twice as long.
 */
const RECOVERY_MS = 25_000
/**
 * The longest time from then on until no change of the membership is under way and all know the last
 * membership. Another connector may first have to claim each change that is left, and each lost disk makes
 * one more change.
 */
const CHANGES_MS = 60_000
/** The time between two checks of the operator for faults that no connector mends. */
const MEND_MS = 1_000
/**
 * The longest time from then on until all nodes hold the same: a few comparisons by the connector with the
 * slowest clock, and as many repairs as there are keys.
 */
const REPAIR_MS = 10_000
/**
 * The largest number of grace times from then on until nothing is left of deleted groups: two for the steps,
 * a quarter for each walk between them, and the same again for keys that repair must settle first and for
 * records that hold only a promise.
 */
const REMOVAL_GRACES = 6
/** The same for what is left of their members, which the sweep must first find: one more, and its walks. */
const SWEEP_GRACES = 3

export type ProofOptions = Readonly<{
  stage: Stage
  scenario: Scenario
  observer: Observer
  machines: Machines
  operator: Operator
  clients: Clients
  memberClients: MemberClients
  hasMembers: boolean
  connectors: () => readonly ConnectorProcess[]
  /** `undefined`: no client watches. */
  watchers: Watchers | undefined
}>

/** The second phase of a run: all faults are healed, and then the cluster must settle and work. */
export class Proof {
  readonly #options: ProofOptions

  constructor(options: ProofOptions) {
    this.#options = options
  }

  /** @throws {Violation} */
  async run(): Promise<void> {
    const { stage, clients, memberClients, scenario, observer, watchers } = this.#options
    this.#mend()
    await stage.runUntil(stage.timeline.nowMs + RECOVERY_MS, () => false)
    const pendingCount = clients.pendingCount + memberClients.pendingCount
    if (pendingCount > 0) throw new Violation('operations end', `${pendingCount} are still pending`)
    await this.#proveSettled()
    await this.#proveEqual()
    await watchers?.prove()
    for (const groupId of scenario.groupIds) await this.#proveProgress(groupId)
    await this.#proveEqual()
    await watchers?.prove()
    watchers?.end()
    await this.#proveRemoved()
    for (const group of observer.groups) group.finish()
  }

  #mend(): void {
    const { stage, operator } = this.#options
    operator.mend()
    stage.timeline.after(MEND_MS, () => this.#mend())
  }

  /**
   * Proves that changes of the membership end: all connectors and all members know the membership that was
   * chosen last.
   */
  async #proveSettled(): Promise<void> {
    const { stage } = this.#options
    await stage.runUntil(stage.timeline.nowMs + CHANGES_MS, () => this.#unsettled() === undefined)
    const unsettled = this.#unsettled()
    if (stage.failure === undefined && unsettled !== undefined) throw new Violation('changes end', unsettled)
  }

  #unsettled(): string | undefined {
    const { observer, connectors } = this.#options
    const { newest } = observer
    if (newest === undefined) return 'no cluster was born'
    const name = `epoch ${newest.epoch} (${formatMembership(newest)})`
    if (isJoint(newest)) return `${name} does not end`
    const late = connectors().find(({ cluster }) => cluster.membership?.epoch !== newest.epoch)
    if (late !== undefined) return `${late.name} does not follow to ${name}`
    const members = this.#members
    if (members.length < newest.members.length) return `a member of ${name} has no disk`
    const old = members.find(({ isUp, store }) => !isUp || store.membership?.epoch !== newest.epoch)
    return old === undefined ? undefined : `${old.nodeId} does not follow to ${name}`
  }

  get #members(): readonly Machine[] {
    const { observer, machines } = this.#options
    return observer.newest === undefined ? [] : machines.ofMembership(observer.newest)
  }

  /**
   * Proves that without faults every connector can change and read every group at once, and that their
   * answers agree.
   */
  async #proveProgress(groupId: string): Promise<void> {
    const { stage, scenario, clients, connectors } = this.#options
    const commands: GroupCommand[] = [
      { kind: 'create', incarnation: `last-${groupId}`, text: 'last' },
      { kind: 'read' },
      { kind: 'delete', etag: undefined },
    ]
    for (const command of commands) {
      for (const connector of connectors()) {
        let ending: Ending | undefined
        clients.call(connector, groupId, command, (ended) => {
          ending = ended
        })
        const untilMs = stage.timeline.nowMs + 2 * scenario.operationTimeoutMs
        await stage.runUntil(untilMs, () => ending !== undefined)
        if (stage.failure === undefined && ending?.kind !== 'done') {
          const text = `${command.kind} on ${groupId} by ${connector.name} ended ${ending?.kind} in a healthy cluster`
          throw new Violation('operations succeed', text)
        }
      }
    }
  }

  /** Proves that background repair makes all members equal without any client. */
  async #proveEqual(): Promise<void> {
    const { stage } = this.#options
    await stage.runUntil(stage.timeline.nowMs + REPAIR_MS, () => this.#differingKey() === undefined)
    const key = this.#differingKey()
    if (stage.failure !== undefined || key === undefined) return
    const held = this.#members.map(({ store }) => formatHeld(store.held(key)))
    throw new Violation('nodes become identical', `${key} is ${held.join(', ')}`)
  }

  #differingKey(): string | undefined {
    const members = this.#members
    const keys = new Set(members.flatMap(({ store }) => store.keys))
    return [...keys].find((key) => {
      const held = members.map(({ store }) => formatHeld(store.held(key)))
      return held.some((one) => one !== held[0] || one === 'damaged')
    })
  }

  /** Proves that nothing is left of the groups, which are all deleted by now, on any member. */
  async #proveRemoved(): Promise<void> {
    const { stage, scenario } = this.#options
    const { graceMs, isRemovalAwaited } = scenario
    const graces = this.#options.hasMembers ? REMOVAL_GRACES + SWEEP_GRACES : REMOVAL_GRACES
    if (graceMs === undefined || !isRemovalAwaited) return
    const keysLeft = () =>
      new Set(
        this.#members.flatMap(({ store }) =>
          store.keys.filter((key) => compareKeys(key, API_KEY_NAMESPACE) > 0),
        ),
      )
    await stage.runUntil(stage.timeline.nowMs + graces * graceMs, () => keysLeft().size === 0)
    if (stage.failure !== undefined || keysLeft().size === 0) return
    const held = [...keysLeft()].map((key) => {
      const records = this.#members.map(({ store }) => formatRecordOf(store.held(key)))
      return `${key}: ${records.join('; ')}`
    })
    throw new Violation('nothing is left of deleted groups', held.join(' | '))
  }
}

/** What must be the same on every node: the accepted state and its ballot. */
function formatHeld(record: KeyRecord | undefined): string {
  if (record === undefined) return 'damaged'
  const { accepted, state } = record
  return accepted === undefined ? 'nothing' : `${formatState(state)} at ${formatBallot(accepted)}`
}

function formatRecordOf(record: KeyRecord | undefined): string {
  return record === undefined ? 'damaged' : formatRecord(record)
}
