/**
 * Clients that work on a few keys at the same time, through all connectors, and record everything that they
 * see.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { GroupMember } from '../../api/group-member-schemas.ts'
import { describeGroup } from '../../linearizability/group-life.ts'
import type { ApiClient, GroupView, Reply } from '../api-client.ts'
import { contentOf, groupStateOf, patchOf, roleOf } from './content.ts'
import { drawCommand, MEMBER_IDS } from './draw-command.ts'
import { judgeAnswer } from './judge-answer.ts'
import { type Judgement, judgeHistory } from './judge-history.ts'
import { KeyHistory } from './key-history.ts'
import type { Command, Operation } from './operation.ts'
import type { VerifyTally } from './verify-tally.ts'

/** One connector. */
export type Link = Readonly<{
  url: string
  client: Pick<
    ApiClient,
    'create' | 'get' | 'update' | 'delete' | 'putGroupMember' | 'getGroupMember' | 'removeGroupMember'
  >
}>

export type WorkloadOptions = Readonly<{
  links: readonly Link[]
  clients: number
  /** Whether groups have members in this cluster. */
  hasMembers: boolean
  /** The prefix of all keys. */
  prefix: string
  /** When it aborts, no further operation is sent. */
  signal: AbortSignal
  /** Numbers in [0, 1). */
  random: () => number
  nowMs: () => number
  /**
   * How long a client waits after a request without an answer, so that a cluster that is down is not flooded.
   */
  pauseMs: number
  tally: VerifyTally
  onOperation: () => void
  /** Called when a key is no longer used and has been judged. */
  onJudged: (history: KeyHistory, judgement: Judgement) => void
}>

/** Clients for each key: enough for conflicts, and few enough for a history that is quickly judged. */
const CLIENTS_PER_KEY = 4

const READ = { kind: 'read' } as const
const CHECKS = MEMBER_IDS.map((memberId) => ({ kind: 'check', memberId }) as const)

export class Workload {
  readonly #options: WorkloadOptions
  readonly #startMs: number
  readonly #active: KeyHistory[] = []
  /** The keys that were used and have not been judged yet. */
  readonly #unjudged = new Set<KeyHistory>()
  #keyCount = 0
  #operationCount = 0
  #time = 0

  constructor(options: WorkloadOptions) {
    this.#options = options
    this.#startMs = options.nowMs()
    const keys = Math.ceil(options.clients / CLIENTS_PER_KEY)
    for (let index = 0; index < keys; index += 1) this.#active.push(this.#nextKey())
  }

  /** Resolves when the signal has aborted, and all operations that were sent are answered or given up. */
  async run(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.clients }, (_, index) => this.#runClient(index + 1)))
  }

  /** Reads the remaining keys once more, and judges them. Call it after `run`. */
  async finish(): Promise<void> {
    const rest = [...this.#unjudged].map((history) => this.#finishKey(history))
    await Promise.all(rest)
  }

  async #runClient(client: number): Promise<void> {
    const { signal, random, links, pauseMs, hasMembers } = this.#options
    while (!signal.aborted) {
      const place = Math.floor(random() * this.#active.length)
      const history = this.#active[place]!
      const link = links[Math.floor(random() * links.length)]!
      const command = drawCommand(random, { sightings: history.sightings, hasMembers })
      const operation = await this.#perform({ history, link, client, command })
      if (history.isFull && this.#active[place] === history) this.#active[place] = this.#nextKey()
      if (history.isFull && history.isIdle && this.#unjudged.has(history)) await this.#finishKey(history)
      if (operation.seen === undefined) await sleep(pauseMs)
    }
  }

  async #finishKey(history: KeyHistory): Promise<void> {
    this.#unjudged.delete(history)
    const { links, hasMembers, onJudged } = this.#options
    const commands = hasMembers ? [READ, ...CHECKS] : [READ]
    // A change that was acknowledged must be visible through every connector.
    for (const link of links)
      for (const command of commands) await this.#perform({ history, link, client: 0, command })
    onJudged(history, judgeHistory(history.operations))
  }

  async #perform({
    history,
    link,
    client,
    command,
  }: Readonly<{
    history: KeyHistory
    link: Link
    client: number
    command: Command
  }>): Promise<Operation> {
    const { nowMs, tally, onOperation } = this.#options
    history.begin()
    this.#operationCount += 1
    const number = this.#operationCount
    const calledMs = nowMs() - this.#startMs
    const calledAt = this.#tick()
    const reply = await send(link, history.key, number, command)
    const operation: Operation = {
      number,
      key: history.key,
      client,
      url: link.url,
      command,
      calledAt,
      answeredAt: this.#tick(),
      calledMs,
      answeredMs: nowMs() - this.#startMs,
      ...judgeAnswer(command, reply),
    }
    history.end(operation)
    if (operation.group !== undefined && command.kind !== 'delete') {
      history.sight(describeGroup(groupStateOf(operation.group)), operation.etag)
    }
    tally.add(operation)
    onOperation()
    return operation
  }

  #nextKey(): KeyHistory {
    this.#keyCount += 1
    const history = new KeyHistory(`${this.#options.prefix}${this.#keyCount}`)
    this.#unjudged.add(history)
    return history
  }

  #tick(): number {
    this.#time += 1
    return this.#time
  }
}

function send(
  { client }: Link,
  key: string,
  number: number,
  command: Command,
): Promise<Reply<GroupView | GroupMember>> {
  switch (command.kind) {
    case 'read':
      return client.get(key)
    case 'create':
      return client.create({ groupId: key, ...contentOf(number) })
    case 'update':
      return client.update(key, patchOf(number), command.ifMatch?.etag)
    case 'delete':
      return client.delete(key, command.ifMatch?.etag)
    case 'add':
    case 'put':
      return client.putGroupMember(key, command.memberId, {
        role: roleOf(number),
        isNew: command.kind === 'add',
      })
    case 'check':
      return client.getGroupMember(key, command.memberId)
    case 'remove':
      return client.removeGroupMember(key, command.memberId, undefined)
    default:
      return command satisfies never
  }
}
