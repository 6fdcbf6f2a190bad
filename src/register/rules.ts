import { knownChosen } from './known-chosen.ts'
import { judge, remember } from './operation.ts'
import { isQuorum } from './quorum.ts'
import { recoverBase } from './recovery.ts'

/**
 * The rules by which a proposer decides, as values. Every process runs `RULES`; a test that must show that a
 * checker sees a broken rule passes others.
 */
export type Rules = Readonly<{
  isQuorum: typeof isQuorum
  knownChosen: typeof knownChosen
  recoverBase: typeof recoverBase
  judge: typeof judge
  remember: typeof remember
}>

export const RULES: Rules = { isQuorum, knownChosen, recoverBase, judge, remember }
