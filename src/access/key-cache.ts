/**
 * What a connector remembers of API keys, so that not every request asks the cluster. A request is judged by
 * no answer whose question was asked more than a second before the request came. So every connector takes a
 * new key, and refuses a revoked one, within a second, however long the nodes take to answer.
 */
import { LRUCache } from 'lru-cache'
import type { Clock } from '../process/clock.ts'
import type { ApiKey } from './api-key.ts'
import { type Caller, newCaller } from './caller.ts'
import type { KeyStore } from './key-store.ts'

/** A key as requests are compared with it. */
export type KnownKey = Readonly<{
  caller: Caller
  hash: Buffer
  previous: Readonly<{ hash: Buffer; validUntilMs: number }> | undefined
  /** Milliseconds since 1970, also below. */
  expiresAtMs: number
  lastUsedAtMs: number
}>

/** The answer of the cluster. `key` is `undefined` when there is no such key. */
export type Lookup = Readonly<{ key: KnownKey | undefined; asOfMs: number }>

export type KeyCacheLimits = Readonly<{
  /** How old an answer of the cluster may be. */
  ageMsMax: number
  /** From this age on, an answer is renewed while it still counts, so that no request waits for it. */
  renewAgeMs: number
  /** How many keys are remembered, and how many ids that are no key. */
  entriesMax: number
  /** How many ids that are not known to be keys are looked up at a time. More would crowd out the others. */
  strangersMax: number
}>

export const KEY_CACHE_LIMITS: KeyCacheLimits = {
  ageMsMax: 1_000,
  renewAgeMs: 500,
  entriesMax: 10_000,
  strangersMax: 64,
}

/** Why it is not known what the cluster says: a phrase for people. */
export type FailedLookup = Readonly<{ failure: string }>

/** A question that the cluster has not answered yet. */
type Question = Readonly<{ askedAtMs: number; answer: Promise<Lookup | FailedLookup> }>

export class KeyCache {
  readonly #store: Pick<KeyStore, 'read'>
  readonly #clock: Pick<Clock, 'nowMs'>
  readonly #limits: KeyCacheLimits
  readonly #known: LRUCache<string, Lookup>
  /** Apart from the keys: somebody who tries many ids must not push out those that are in use. */
  readonly #unknown: LRUCache<string, Lookup>
  /** The youngest question about each id. */
  readonly #running = new Map<string, Question>()
  #strangerCount = 0

  constructor(store: Pick<KeyStore, 'read'>, clock: Pick<Clock, 'nowMs'>, limits = KEY_CACHE_LIMITS) {
    this.#store = store
    this.#clock = clock
    this.#limits = limits
    this.#known = new LRUCache({ max: limits.entriesMax })
    this.#unknown = new LRUCache({ max: limits.entriesMax })
  }

  /** What the cluster says of an id: at once if it is remembered. Never rejects. */
  find(keyId: string): Lookup | Promise<Lookup | FailedLookup> {
    const { renewAgeMs } = this.#limits
    const remembered = this.#remembered(keyId)
    if (remembered === undefined || !this.#counts(remembered.asOfMs)) return this.#look(keyId, remembered)
    const ageMs = this.#clock.nowMs() - remembered.asOfMs
    // A bug in it shows when a request has to wait for an answer.
    if (ageMs >= renewAgeMs && remembered.key !== undefined) {
      this.#look(keyId, remembered).catch(() => undefined)
    }
    return remembered
  }

  #remembered(keyId: string): Lookup | undefined {
    return this.#known.get(keyId) ?? this.#unknown.get(keyId)
  }

  /** Whether a request that arrives now may be judged by an answer to a question of this time. */
  #counts(askedAtMs: number): boolean {
    return this.#clock.nowMs() - askedAtMs <= this.#limits.ageMsMax
  }

  #look(keyId: string, remembered: Lookup | undefined): Promise<Lookup | FailedLookup> {
    const running = this.#running.get(keyId)
    // An answer that is slow to come may be from before a revocation that was acknowledged since.
    if (running !== undefined && this.#counts(running.askedAtMs)) return running.answer
    const isStranger = remembered?.key === undefined
    if (isStranger) {
      if (this.#strangerCount >= this.#limits.strangersMax) return Promise.resolve(remembered ?? CROWDED)
      this.#strangerCount += 1
    }
    const askedAtMs = this.#clock.nowMs()
    const answer = this.#ask(keyId, askedAtMs).finally(() => {
      if (isStranger) this.#strangerCount -= 1
      if (this.#running.get(keyId) === question) this.#running.delete(keyId)
    })
    const question: Question = { askedAtMs, answer }
    this.#running.set(keyId, question)
    return answer
  }

  /** The answer counts from the moment of the question: what changed in between may not be in it. */
  async #ask(keyId: string, askedAtMs: number): Promise<Lookup | FailedLookup> {
    const outcome = await this.#store.read(keyId)
    if (outcome.kind !== 'done') return { failure: outcome.reason }
    const key = outcome.value === undefined ? undefined : toKnown(outcome.value)
    return this.#remember(keyId, { key, asOfMs: askedAtMs })
  }

  /** Returns what counts: a slow answer does not take the place of one to a later question. */
  #remember(keyId: string, lookup: Lookup): Lookup {
    const remembered = this.#remembered(keyId)
    if (remembered !== undefined && remembered.asOfMs > lookup.asOfMs) return remembered
    const [into, outOf] =
      lookup.key === undefined ? [this.#unknown, this.#known] : [this.#known, this.#unknown]
    into.set(keyId, lookup)
    outOf.delete(keyId)
    return lookup
  }
}

const CROWDED: FailedLookup = { failure: 'too many unknown API keys are being checked' }

function toKnown({
  keyId,
  name,
  role,
  prefix = '',
  hash,
  previous,
  expiresAt,
  lastUsedAt,
}: ApiKey): KnownKey {
  return {
    caller: newCaller({ kind: 'key', id: keyId, name, role, prefix }),
    hash: Buffer.from(hash, 'hex'),
    previous:
      previous === undefined
        ? undefined
        : { hash: Buffer.from(previous.hash, 'hex'), validUntilMs: Date.parse(previous.validUntil) },
    expiresAtMs: expiresAt === undefined ? Number.POSITIVE_INFINITY : Date.parse(expiresAt),
    lastUsedAtMs: lastUsedAt === undefined ? Number.NEGATIVE_INFINITY : Date.parse(lastUsedAt),
  }
}
