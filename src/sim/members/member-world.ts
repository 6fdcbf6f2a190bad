/**
 * One group and one member of it, over model registers: the protocol of group members as it ships, with
 * several operations at a time, processes that die, writes that come late, groups that are deleted, created
 * again and restored, and the sweep. The seed determines the whole run.
 */

import { setImmediate as nextTurn } from 'node:timers/promises'
import { KnownLives } from '../../engines/cohort/group-members/known-lives.ts'
import { entryKey } from '../../engines/cohort/group-members/member-keys.ts'
import {
  type Leftover,
  MemberProtocol,
  type MemberProtocolOptions,
} from '../../engines/cohort/group-members/member-protocol.ts'
import { GROUP_NAMESPACE } from '../../engines/cohort/group-registry.ts'
import { createGroup } from '../../group/create-group.ts'
import { deleteGroup } from '../../group/delete-group.ts'
import type { Command, Group } from '../../group/group.ts'
import { decodeGroup, encodeGroup, lifeOfStored } from '../../group/group-codec.ts'
import { putGroupMember, removeGroupMember } from '../../group/put-group-member.ts'
import { restoreGroup } from '../../group/restore-group.ts'
import { type Call, linearize } from '../../linearizability/linearizability.ts'
import type { Decision, Outcome } from '../../register/operation.ts'
import type { Value } from '../../register/state.ts'
import { AUTHOR } from '../../testing/author.ts'
import { Chance } from '../chance.ts'
import { Violation } from '../checkers/violation.ts'
import { ModelRegisters } from './model-registers.ts'
import { PAIR_MODEL, type PairCommand, type PairSeen, seenOf } from './pair-model.ts'

/** The rules of group members: all of it is the code that ships, and tests replace a part by a broken one. */
export type MemberRules = Readonly<{
  newProtocol: (options: MemberProtocolOptions) => MemberProtocol
  /** Whether the sweep of this kind of register waits until everything that was under way has ended. */
  waits: (kind: Leftover['kind']) => boolean
  /** The life with which a group is restored. */
  restoredLife: (drawn: string, incarnation: string) => string
}>

export const MEMBER_RULES: MemberRules = {
  newProtocol: (options) => new MemberProtocol(options),
  waits: () => true,
  restoredLife: (drawn) => drawn,
}

export type MemberRun = Readonly<{
  operationCount: number
  /** How many leftovers were removed. */
  sweptCount: number
  /** Operations whose clients saw that they changed something, by kind. */
  changes: ReadonlyMap<string, number>
  failure: Error | undefined
  /** What each client did and saw, and when: a line each. */
  lines: readonly string[]
}>

const GROUP_ID = 'g'
const MEMBER_ID = 'm'
const NOW = '2026-01-01T00:00:00.000Z'
const OPERATIONS_MAX = 24
const AT_ONCE_MAX = 5
const CONNECTORS = 2

/** What clients do: any of these lists is drawn for a run. */
const KINDS = [
  ['put', 'put', 'put', 'remove', 'read', 'read', 'create', 'delete', 'restore'],
  ['put', 'remove', 'put', 'remove', 'read', 'create'],
  ['put', 'put', 'put', 'create', 'delete'],
] as const

type Operation = {
  readonly owner: number
  readonly command: PairCommand
  readonly calledAt: number
  returned: { at: number; result: PairSeen } | undefined
  /** Whether it is known that it changed nothing. */
  isVoid: boolean
}

/** A leftover that was found, and what was under way when that for which it waits was seen first. */
type Finding = Readonly<{ leftover: Leftover; underWay: ReadonlySet<Operation> }>

export async function runMembers(seed: number, rules: MemberRules = MEMBER_RULES): Promise<MemberRun> {
  return new MemberWorld(seed, rules).run()
}

class MemberWorld {
  readonly #chance: Chance
  readonly #rules: MemberRules
  readonly #kinds: (typeof KINDS)[number]
  /** How often the sweep takes a step, and how often a process is stopped or goes on. */
  readonly #sweepRate: number
  readonly #stopRate: number
  readonly #registers: ModelRegisters
  /** What each connector remembers. */
  #lives = Array.from({ length: CONNECTORS }, () => new KnownLives(10))
  readonly #operations: Operation[] = []
  readonly #underWay = new Set<Operation>()
  /** The work of the sweep that is under way. */
  #isSweeping = false
  /** How many steps the sweep takes after the last operation. */
  #lastSweeps: number
  #findings: Finding[] = []
  /** What was under way when something was seen for the first time. */
  readonly #waiting = new Map<string, ReadonlySet<Operation>>()
  /** The group as it was before one of its deletions: what a restore brings back. */
  #backup: Group | undefined
  #owners = 0
  #drawn = 0
  #time = 0
  #sweptCount = 0
  #failure: Error | undefined

  constructor(seed: number, rules: MemberRules) {
    const chance = new Chance(seed)
    this.#chance = chance
    this.#kinds = chance.of(KINDS)
    this.#sweepRate = chance.of([0.1, 0.3, 0.6])
    this.#stopRate = chance.of([0, 0.05, 0.1])
    this.#lastSweeps = chance.of([0, 10])
    this.#rules = rules
    this.#registers = new ModelRegisters(this.#chance, () => this.#checkIndex())
  }

  async run(): Promise<MemberRun> {
    try {
      while (this.#failure === undefined && !this.#isOver) await this.#step()
      this.#registers.end()
      if (this.#failure === undefined) this.#checkHistory()
    } catch (error) {
      this.#failure ??= error as Error
    }
    const seen = this.#operations.flatMap(({ command, returned }) =>
      returned === undefined || PAIR_MODEL.isReading(command, returned.result) ? [] : [command.kind],
    )
    return {
      operationCount: this.#operations.length,
      sweptCount: this.#sweptCount,
      changes: new Map([...Map.groupBy(seen, (kind) => kind)].map(([kind, { length }]) => [kind, length])),
      failure: this.#failure,
      lines: this.#operations.map(({ command, calledAt, returned, isVoid }) => {
        const end = returned === undefined ? (isVoid ? 'not applied' : 'unknown') : returned.result
        return `${calledAt} to ${returned?.at ?? '?'}  ${Object.values(command).join(' ')}: ${end}`
      }),
    }
  }

  get #isOver(): boolean {
    const hasWorked = this.#operations.length >= OPERATIONS_MAX && this.#underWay.size === 0
    return hasWorked && !this.#isSweeping && this.#lastSweeps === 0
  }

  async #step(): Promise<void> {
    const chance = this.#chance
    this.#time += 1
    // What is stopped goes on when nothing else is left to do.
    if (this.#operations.length >= OPERATIONS_MAX) this.#registers.stopped.clear()
    const mayBegin = this.#operations.length < OPERATIONS_MAX && this.#underWay.size < AT_ONCE_MAX
    if (mayBegin && (chance.happens(0.2) || this.#underWay.size === 0)) this.#begin()
    else if (!this.#isSweeping && chance.happens(this.#sweepRate)) this.#sweep()
    else if (chance.happens(0.01)) this.#kill()
    else if (chance.happens(this.#stopRate)) this.#stop()
    else if (!this.#registers.step()) return
    await nextTurn()
  }

  #begin(): void {
    const kind = this.#chance.of<(typeof KINDS)[number][number]>(this.#kinds)
    const command: PairCommand = kind === 'put' ? { kind, role: this.#chance.of(['a', 'b']) } : { kind }
    this.#owners += 1
    const operation: Operation = {
      owner: this.#owners,
      command,
      calledAt: this.#time,
      returned: undefined,
      isVoid: false,
    }
    this.#operations.push(operation)
    this.#underWay.add(operation)
    this.#perform(operation).then(
      (outcome) => this.#end(operation, outcome),
      (error: unknown) => {
        this.#failure ??= error as Error
      },
    )
  }

  #end(operation: Operation, outcome: Outcome<PairSeen>): void {
    this.#underWay.delete(operation)
    this.#time += 1
    if (outcome.kind === 'decided') operation.returned = { at: this.#time, result: outcome.result }
    operation.isVoid = outcome.kind === 'not_applied'
  }

  async #perform({ owner, command }: Operation): Promise<Outcome<PairSeen>> {
    const protocol = this.#protocolOf(owner)
    switch (command.kind) {
      case 'create':
        return this.#changeGroup(
          owner,
          createGroup({ groupId: GROUP_ID, now: NOW, author: AUTHOR, incarnation: this.#draw() }),
        )
      case 'restore': {
        const backup = this.#backup
        if (backup === undefined) return { kind: 'not_applied' }
        const life = this.#rules.restoredLife(this.#draw(), backup.incarnation)
        return this.#changeGroup(owner, restoreGroup(backup, { life, author: AUTHOR }))
      }
      case 'delete':
        return this.#changeGroup(owner, deleteGroup({}))
      case 'read': {
        const outcome = await protocol.read(GROUP_ID, MEMBER_ID)
        if (outcome.kind !== 'decided') return { kind: 'not_applied' }
        const { hasGroup, member } = outcome.result
        return { kind: 'decided', result: hasGroup ? `read ${member?.role}` : 'group_not_found' }
      }
      case 'put':
      case 'remove': {
        const outcome =
          command.kind === 'put'
            ? await protocol.put(
                GROUP_ID,
                MEMBER_ID,
                putGroupMember({
                  author: AUTHOR,
                  memberId: MEMBER_ID,
                  role: command.role,
                  now: NOW,
                  incarnation: this.#draw(),
                }),
              )
            : await protocol.remove(GROUP_ID, MEMBER_ID, removeGroupMember({}))
        if (outcome.kind !== 'decided') return outcome
        return { kind: 'decided', result: seenOf(outcome.result) }
      }
      default:
        return command satisfies never
    }
  }

  async #changeGroup(owner: number, command: Command): Promise<Outcome<PairSeen>> {
    const decide = (value: Value): Decision<PairSeen> => {
      const decision = command(value === undefined ? undefined : decodeGroup(value))
      if (decision.kind === 'refused') return { kind: 'keep', result: decision.refusal }
      // The group exists, as it was in the backup.
      if (decision.kind !== 'changed') return { kind: 'keep', result: 'group_exists' }
      if (decision.group === undefined) {
        this.#backup = decision.answer
        return { kind: 'propose', value: undefined, result: 'deleted' }
      }
      return { kind: 'propose', value: encodeGroup(decision.group), result: 'created' }
    }
    return this.#registers.for(owner).submit(GROUP_NAMESPACE + GROUP_ID, decide)
  }

  #protocolOf(owner: number): MemberProtocol {
    return this.#rules.newProtocol({
      registers: () => this.#registers.for(owner),
      lives: this.#lives[owner % CONNECTORS]!,
      nowMs: () => 0,
      lifetimeMs: () => 1,
      drawTicket: () => this.#draw(),
    })
  }

  #draw(): string {
    this.#drawn += 1
    return `d${this.#drawn}`
  }

  /** The process of an operation dies. */
  #kill(): void {
    if (this.#underWay.size === 0) return
    const operation = this.#chance.of([...this.#underWay])
    this.#registers.kill(operation.owner)
    this.#underWay.delete(operation)
  }

  /** One process is stopped, or all go on. */
  #stop(): void {
    const { stopped } = this.#registers
    if (stopped.size > 0 && this.#chance.happens(0.3)) stopped.clear()
    else if (this.#underWay.size > 0) stopped.add(this.#chance.of([...this.#underWay]).owner)
  }

  /** Looks at a register for the first time, or takes the second step for what was found. */
  #sweep(): void {
    if (this.#operations.length >= OPERATIONS_MAX && this.#lastSweeps > 0) this.#lastSweeps -= 1
    const due = this.#findings.filter(
      ({ leftover, underWay }) =>
        !this.#rules.waits(leftover.kind) || underWay.isDisjointFrom(this.#underWay),
    )
    this.#isSweeping = true
    this.#owners += 1
    const protocol = this.#protocolOf(this.#owners)
    const task =
      due.length > 0 && this.#chance.happens(0.7)
        ? this.#act(protocol, this.#chance.of(due))
        : this.#look(protocol, this.#owners)
    task.then(
      () => {
        this.#isSweeping = false
      },
      (error: unknown) => {
        this.#failure ??= error as Error
      },
    )
  }

  async #look(protocol: MemberProtocol, owner: number): Promise<void> {
    const keys = this.#registers.keys.filter((key) => !key.startsWith(GROUP_NAMESPACE))
    if (keys.length === 0) return
    const key = this.#chance.of(keys)
    const registers = this.#registers.for(owner)
    const value = await registers.read(key, (held) => held)
    const life = await protocol.lifeOf(GROUP_ID)
    if (value.kind !== 'decided' || life.kind !== 'decided') return
    const leftover = await protocol.findLeftover(key, { value: value.result, life: life.result })
    // What is under way from now on begins after the look.
    if (leftover === undefined) return
    const underWay = this.#waiting.get(leftover.waitsFor) ?? new Set(this.#underWay)
    this.#waiting.set(leftover.waitsFor, underWay)
    this.#findings.push({ leftover, underWay })
  }

  async #act(protocol: MemberProtocol, finding: Finding): Promise<void> {
    this.#findings = this.#findings.filter((other) => other !== finding)
    if (await protocol.sweep(finding.leftover)) this.#sweptCount += 1
  }

  /** Whatever counts has its entry in the index. */
  #checkIndex(): void {
    const group = this.#registers.valueOf(GROUP_NAMESPACE + GROUP_ID)
    if (group === undefined) return
    const at = { groupId: GROUP_ID, life: lifeOfStored(group), memberId: MEMBER_ID }
    const protocol = this.#protocolOf(0)
    const counts = protocol.memberOf(at, this.#registers.valueOf(protocol.memberKey(at))) !== undefined
    if (counts && this.#registers.valueOf(entryKey(at)) === undefined)
      this.#failure ??= new Violation('whatever counts has its entry in the index', at.life)
  }

  #checkHistory(): void {
    const calls = this.#operations
      .filter(
        ({ command, isVoid, returned }) => !isVoid && (returned !== undefined || command.kind !== 'read'),
      )
      .map(
        ({ command, calledAt, returned }): Call<PairCommand, PairSeen> => ({
          call: command,
          calledAt,
          returned,
        }),
      )
    const { kind } = linearize(PAIR_MODEL, calls)
    if (kind !== 'found')
      throw new Violation('the history is linearizable', `${kind} of ${calls.length} calls`)
  }
}
