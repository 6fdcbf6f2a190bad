/**
 * Real acceptors and real proposers of one key, and a network that delivers a message only when the test says
 * so. There is no clock and no randomness: a test is a script, and its conversation is the same every time.
 */
import assert from 'node:assert/strict'
import { answer, EMPTY_RECORD } from '../../src/register/acceptor.ts'
import type { Answer, KeyRecord, Request } from '../../src/register/messages.ts'
import type { Decision, Operation, Outcome } from '../../src/register/operation.ts'
import { type Effect, type Memory, Proposer } from '../../src/register/proposer.ts'
import { quorumsOf } from '../../src/register/quorum.ts'
import { RULES, type Rules } from '../../src/register/rules.ts'
import type { Value } from '../../src/register/state.ts'

/** An operation on a text, and how it ended. */
export type TextOperation = Operation & { readonly name: string; outcome: Outcome | undefined }

/** A request on its way to a node, or the node's answer on its way back. */
export type Message = Readonly<{
  kind: 'request' | 'answer'
  connector: Connector
  /** Index of the node. */
  node: number
  token: number
  request: Request
  answer: Answer | undefined
}>

/** What happened, in order. `formatConversation` makes text of it. */
export type ConversationEvent =
  | Readonly<{ kind: 'note'; text: string }>
  | Readonly<{ kind: 'submitted' | 'expired'; connector: string; operation: TextOperation }>
  | Readonly<{ kind: 'finished'; connector: string; operation: TextOperation; outcome: Outcome }>
  | Readonly<{ kind: 'suspicion'; connector: string; node: number; isSuspect: boolean }>
  | Readonly<{ kind: 'backoff'; connector: string; retries: number }>
  | Readonly<{ kind: 'handled'; connector: string; node: number; request: Request; answer: Answer }>
  | Readonly<{ kind: 'dropped'; connector: string; node: number; request: Request; what: Message['kind'] }>

/** Selects the messages that have all of the given properties. */
export type Selection = Readonly<{
  kind?: Message['kind']
  connector?: Connector
  nodes?: readonly number[]
  requests?: readonly Request['kind'][]
}>

export type ConnectorOptions = Readonly<{
  /** The nodes that the proposer does not wait for. Default: none. */
  suspects?: readonly number[]
  /** The index of the node that it reads from first. Default: 0. */
  turn?: number
  /** What it remembers of the key. Default: nothing. */
  memory?: Memory
  /** Default 0. */
  roundNumberFloor?: number
}>

export class ScriptedCluster {
  /** By node. */
  readonly records: KeyRecord[]
  readonly events: ConversationEvent[] = []
  /** Oldest first. */
  messages: readonly Message[] = []
  readonly #connectors: Connector[] = []
  /** The number of writes so far, by proposer. */
  readonly #sequences = new Map<number, number>()

  readonly rules: Rules

  /** `rules` are broken on purpose where a test shows that it would notice a fault. */
  constructor(nodes: number, rules: Rules = RULES) {
    this.records = Array(nodes).fill(EMPTY_RECORD)
    this.rules = rules
  }

  /**
   * `name` is its name in the conversation. Connectors of one cluster need different `proposerId`s, unless
   * one continues with the memory of another, as the proposers of one process do.
   */
  connector(name: string, proposerId: number, options: ConnectorOptions = {}): Connector {
    const connector = new Connector(this, name, proposerId, options)
    this.#connectors.push(connector)
    return connector
  }

  nextSequence(proposerId: number): number {
    const sequence = (this.#sequences.get(proposerId) ?? 0) + 1
    this.#sequences.set(proposerId, sequence)
    return sequence
  }

  note(text: string): void {
    this.events.push({ kind: 'note', text })
  }

  /** The selected messages that are on their way. */
  select({ kind, connector, nodes, requests }: Selection = {}): Message[] {
    return this.messages.filter(
      (message) =>
        (kind === undefined || message.kind === kind) &&
        (connector === undefined || message.connector === connector) &&
        (nodes?.includes(message.node) ?? true) &&
        (requests?.includes(message.request.kind) ?? true),
    )
  }

  /**
   * Delivers the selected messages that are on their way now, and not those that follow. Returns how many.
   */
  deliver(selection: Selection = {}): number {
    const messages = this.select(selection)
    for (const message of messages) this.deliverOne(message)
    return messages.length
  }

  /**
   * Loses the selected messages that are on their way now, and tells the connectors, as a broken stream does.
   */
  drop(selection: Selection = {}): void {
    for (const message of this.select(selection)) this.dropOne(message)
  }

  /** The requests that are on their way, then their answers. */
  roundTrip(selection: Omit<Selection, 'kind'> = {}): void {
    this.deliver({ ...selection, kind: 'request' })
    this.deliver({ ...selection, kind: 'answer' })
  }

  /** Delivers until no selected message is on its way. */
  settle(selection: Selection = {}): void {
    for (let steps = 0; this.deliver(selection) > 0; steps += 1) assert.ok(steps < 100, 'it settles')
  }

  /** Delivers everything and ends every backoff, until no connector has anything left to do. */
  finish(): void {
    for (let steps = 0; ; steps += 1) {
      assert.ok(steps < 100, 'it comes to an end')
      this.settle()
      const waiting = this.#connectors.find((connector) => !connector.isIdle)
      if (waiting === undefined) return
      waiting.resume()
    }
  }

  deliverOne(message: Message): void {
    this.#take(message)
    const { connector, node, token, request } = message
    if (message.answer !== undefined) return connector.receive(node, token, message.answer)
    const given = answer(this.records[node]!, request)
    this.records[node] = given.record
    this.events.push({ kind: 'handled', connector: connector.name, node, request, answer: given })
    if (request.kind !== 'mark') this.send({ ...message, kind: 'answer', answer: given })
  }

  dropOne(message: Message): void {
    this.#take(message)
    const { connector, node, request, token, kind } = message
    this.events.push({ kind: 'dropped', connector: connector.name, node, request, what: kind })
    connector.lose(node, token)
  }

  /** Puts a message on its way. A message that is already on its way is then delivered twice. */
  send(message: Message): void {
    this.messages = [...this.messages, { ...message }]
  }

  #take(message: Message): void {
    this.messages = this.messages.filter((other) => other !== message)
  }
}

export class Connector {
  readonly name: string
  readonly #cluster: ScriptedCluster
  readonly #proposer: Proposer<TextOperation>
  readonly #suspects: boolean[]
  #backoff: number | undefined

  constructor(cluster: ScriptedCluster, name: string, proposerId: number, options: ConnectorOptions) {
    this.name = name
    this.#cluster = cluster
    this.#suspects = cluster.records.map((_, node) => options.suspects?.includes(node) ?? false)
    this.#proposer = new Proposer({
      proposerId,
      quorums: quorumsOf(cluster.records.length),
      rules: cluster.rules,
      nextSequence: () => cluster.nextSequence(proposerId),
      suspects: this.#suspects,
      turn: options.turn ?? 0,
      memory: options.memory,
      roundNumberFloor: options.roundNumberFloor ?? 0,
    })
  }

  get memory(): Memory {
    return this.#proposer.memory
  }

  get isIdle(): boolean {
    return this.#proposer.isIdle
  }

  /** Whether a backoff is running that `resume` would end. */
  get isBackingOff(): boolean {
    return this.#backoff !== undefined
  }

  submit(
    name: string,
    decide: (text: string | undefined) => TextDecision,
    { needsRound = false, isRead = false }: Pick<Operation, 'needsRound' | 'isRead'> = {},
  ): TextOperation {
    const operation: TextOperation = {
      name,
      needsRound,
      isRead,
      attempts: [],
      outcome: undefined,
      decide: (value) => encodeDecision(decide(decodeText(value))),
    }
    this.#cluster.events.push({ kind: 'submitted', connector: this.name, operation })
    this.#perform(this.#proposer.submit(operation))
    return operation
  }

  expire(operation: TextOperation): void {
    this.#cluster.events.push({ kind: 'expired', connector: this.name, operation })
    this.#perform(this.#proposer.expire(operation))
  }

  /** Ends the backoff that the proposer asked for last. */
  resume(): void {
    const token = this.#backoff
    assert.ok(token !== undefined, 'there is a backoff to end')
    this.#backoff = undefined
    this.#perform(this.#proposer.resume(token))
  }

  /** Like the driver, it tells the proposer only of nodes that have become suspect. */
  suspect(node: number, isSuspect = true): void {
    this.#suspects[node] = isSuspect
    this.#cluster.events.push({ kind: 'suspicion', connector: this.name, node, isSuspect })
    if (isSuspect) this.#perform(this.#proposer.reconsider())
  }

  receive(node: number, token: number, answer: Answer): void {
    this.#perform(this.#proposer.receive(node, token, answer))
  }

  lose(node: number, token: number): void {
    this.#perform(this.#proposer.lose(node, token))
  }

  // Submits -------------------------------------------------------------------------------------------------

  /** Creates the text if there is none. */
  create(text: string): TextOperation {
    return this.submit(`create ${text}`, (old) =>
      old === undefined ? { text, result: 'created' } : { result: `exists: ${old}` },
    )
  }

  /** Deletes the text, if there is one. */
  remove(): TextOperation {
    return this.submit('delete', (old) =>
      old === undefined ? { result: 'missing' } : { text: undefined, result: `deleted: ${old}` },
    )
  }

  /**
   * Appends to the text, which then shows how often each operation happened, and in what order. Always a
   * change.
   */
  append(text: string): TextOperation {
    return this.submit(`append ${text}`, (old = '') => ({ text: old + text, result: old + text }))
  }

  /** A read that ends with a classic round, which is what repair needs. */
  round(): TextOperation {
    return this.submit('round', (text) => ({ result: text ?? 'nothing' }), { needsRound: true })
  }

  read(): TextOperation {
    return this.submit('read', (text) => ({ result: text ?? 'nothing' }), { isRead: true })
  }

  #perform(effects: readonly Effect<TextOperation>[]): void {
    for (const effect of effects) {
      switch (effect.kind) {
        case 'send': {
          const { to: node, token, request } = effect
          this.#cluster.send({ kind: 'request', connector: this, node, token, request, answer: undefined })
          break
        }
        case 'finish': {
          const { operation, outcome } = effect
          assert.equal(operation.outcome, undefined, 'an operation ends once')
          operation.outcome = outcome
          this.#cluster.events.push({
            kind: 'finished',
            connector: this.name,
            operation,
            outcome,
          })
          break
        }
        case 'backoff':
          this.#backoff = effect.token
          this.#cluster.events.push({ kind: 'backoff', connector: this.name, retries: effect.retries })
          break
        default:
          effect satisfies never
      }
    }
  }
}

/** With a `text` it is a change (`undefined` is a deletion), without one it is a `keep`. */
export type TextDecision = Readonly<{ text?: string | undefined; result: string }>

function encodeDecision(decision: TextDecision): Decision {
  const { result } = decision
  if (!('text' in decision)) return { kind: 'keep', result }
  const { text } = decision
  return { kind: 'propose', value: text === undefined ? undefined : new TextEncoder().encode(text), result }
}

export function decodeText(value: Value): string | undefined {
  return value === undefined ? undefined : new TextDecoder().decode(value)
}
