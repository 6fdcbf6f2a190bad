import { knownChosen } from './known-chosen.ts'
import { judge, remember } from './operation.ts'
import { isQuorum } from './quorum.ts'
import { recoverBase } from './recovery.ts'

/**
 * The rules by which a proposer decides, as values. Every process uses `RULES`. Tests that check the checkers
 * pass broken rules.
 */
export type Rules = Readonly<{
  isQuorum: typeof isQuorum
  knownChosen: typeof knownChosen
  recoverBase: typeof recoverBase
  judge: typeof judge
  remember: typeof remember
}>

export const RULES: Rules = { isQuorum, knownChosen, recoverBase, judge, remember }
