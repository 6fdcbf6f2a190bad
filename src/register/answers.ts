/** The results of the requests of one phase of a proposer, for each node. */
import { type Ballot, FIRST_BALLOT, maxBallot } from './ballot.ts'
import { isDamage } from './damage.ts'
import type { Records } from './known-chosen.ts'
import type { Answer, Damage, Reply } from './messages.ts'
import type { NodeSet } from './quorum.ts'

/**
 * The result of the request to one node. `unsent`: the request was never sent. `lost`: it was sent, and no
 * answer will come. `undefined`: there is no answer yet.
 */
export type Fate = Reply | 'lost' | 'unsent' | undefined

/** The result of the request to each node, at the index of the node. */
export type Answers = Fate[]

/** A phase that has just begun, of `n` nodes. */
export function noAnswers(n: number): Answers {
  return Array(n).fill(undefined)
}

export function isAnswer(fate: Fate): fate is Answer {
  return typeof fate === 'object' && !isDamage(fate)
}

/** Whether the node has answered that its record is damaged. */
function isDamagedFate(fate: Fate): fate is Damage {
  return typeof fate === 'object' && isDamage(fate)
}

/**
 * Whether no node has voted for an accept, and none will: every node has refused it, or cannot vote because
 * its record is damaged, or was never sent it. A refusal is final, because what a node has promised and
 * accepted never goes down. It also means that the node did not vote for it before, because an accept is
 * delivered at most once.
 */
export function isVoid(answers: Answers): boolean {
  return answers.every((fate) => fate === 'unsent' || isDamagedFate(fate) || (isAnswer(fate) && !fate.ok))
}

/** The nodes that have answered with, or without, an ok. */
export function nodesThat(answers: Answers, isOk: boolean): NodeSet {
  let nodes = 0
  for (let node = 0; node < answers.length; node += 1) {
    const fate = answers[node]
    if (isAnswer(fate) && fate.ok === isOk) nodes |= 1 << node
  }
  return nodes
}

/** The records of the nodes that have answered with, or without, an ok. */
export function recordsOf(answers: Answers, isOk: boolean): Records {
  return answers.map((fate) => (isAnswer(fate) && fate.ok === isOk ? fate.record : undefined))
}

/** The highest promise among the records. */
export function highestPromised(records: Records): Ballot {
  return records.reduce(
    (highest, record) => (record === undefined ? highest : maxBallot(highest, record.promised)),
    FIRST_BALLOT,
  )
}
