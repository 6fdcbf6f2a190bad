import { putGroupMember, removeGroupMember } from '../../group/put-group-member.ts'
import type { Outcome } from '../../register/operation.ts'
import { AUTHOR } from '../../testing/author.ts'
import { type PairCommand, type PairSeen, seenOf } from '../members/pair-model.ts'
import type { ConnectorProcess } from './connector-process.ts'
import type { Observer } from './observer.ts'
import type { Scenario } from './scenario.ts'
import type { Stage } from './stage.ts'

export type MemberClientsOptions = Readonly<{
  stage: Stage
  scenario: Scenario
  observer: Observer
  /** The connectors that run now. */
  connectors: () => readonly ConnectorProcess[]
}>

const CLIENTS = 4
const MEMBER_IDS = ['m', 'n'] as const

type PendingCall = {
  readonly connector: ConnectorProcess
  readonly end: (outcome: Outcome<PairSeen> | undefined) => void
}

/** The clients of a run that add, check and remove members of its groups. */
export class MemberClients {
  readonly #options: MemberClientsOptions
  readonly #pending = new Set<PendingCall>()
  #operationCount = 0
  #isOver = false

  constructor(options: MemberClientsOptions) {
    this.#options = options
  }

  get operationCount(): number {
    return this.#operationCount
  }

  get pendingCount(): number {
    return this.#pending.size
  }

  start(): void {
    for (let client = 0; client < CLIENTS; client += 1) this.#think()
  }

  stop(): void {
    this.#isOver = true
  }

  /** A connector has died: its clients never learn how their operations ended. */
  lose(dead: ConnectorProcess): void {
    for (const { connector, end } of [...this.#pending]) if (connector === dead) end(undefined)
  }

  #think(): void {
    const { stage, scenario } = this.#options
    stage.timeline.after(2 * scenario.thinkMs * stage.chance.uniform() + 0.01, () => this.#work())
  }

  #work(): void {
    if (this.#isOver) return
    const { stage, scenario, observer, connectors } = this.#options
    const { chance } = stage
    const ready = connectors().filter(({ isReady }) => isReady)
    if (ready.length === 0) {
      stage.timeline.after(1, () => this.#work())
      return
    }
    const connector = chance.of(ready)
    const groupId = chance.of(scenario.groupIds)
    const memberId = chance.of(MEMBER_IDS)
    const kind = chance.of(['put', 'put', 'remove', 'read', 'read'] as const)
    const command: PairCommand = kind === 'put' ? { kind, role: chance.of(['a', 'b']) } : { kind }
    const witness = observer.group(groupId)
    const operation = witness.memberCalled(memberId, command)
    this.#operationCount += 1
    const name = `${connector.name}  ${memberId} of ${groupId}, operation ${operation}`
    stage.tell(`${name}: ${Object.values(command).join(' ')}`)
    const end = (outcome: Outcome<PairSeen> | undefined): void => {
      if (!this.#pending.delete(call)) return
      const seen = outcome?.kind === 'decided' ? outcome.result : undefined
      stage.tell(`${name} is answered: ${seen ?? outcome?.kind ?? 'gone'}`)
      if (outcome?.kind !== 'not_applied') witness.memberEnded(memberId, operation, seen)
      this.#think()
    }
    const call: PendingCall = { connector, end }
    this.#pending.add(call)
    connector.clock.run(() => {
      submit(connector, groupId, memberId, command, `${this.#operationCount}`).then(end, (error: unknown) =>
        stage.fail(error),
      )
    })
  }
}

async function submit(
  { members, clock }: ConnectorProcess,
  groupId: string,
  memberId: string,
  command: PairCommand,
  name: string,
): Promise<Outcome<PairSeen>> {
  if (command.kind === 'read') {
    const outcome = await members.read(groupId, memberId)
    if (outcome.kind !== 'decided') return { kind: 'not_applied' }
    const { hasGroup, member } = outcome.result
    return { kind: 'decided', result: hasGroup ? `read ${member?.role}` : 'group_not_found' }
  }
  const now = new Date(clock.nowMs()).toISOString()
  const outcome =
    command.kind === 'put'
      ? await members.put(
          groupId,
          memberId,
          putGroupMember({ author: AUTHOR, memberId, role: command.role, now, incarnation: name }),
        )
      : await members.remove(groupId, memberId, removeGroupMember({}))
  return outcome.kind === 'decided' ? { kind: 'decided', result: seenOf(outcome.result) } : outcome
}
