import assert from 'node:assert/strict'
import { PROBLEMS, type ProblemCode } from '../../src/api/problem-codes.ts'
import type { Problem } from '../../src/api/problem-schema.ts'

/** The part of an answer of `inject` that the tests use. */
export type Answer = Readonly<{
  statusCode: number
  headers: { [name: string]: unknown }
  body: string
}>

/** Asserts that an answer is the problem of this code, in the form that every problem has. */
export function expectProblem(answer: Answer, code?: ProblemCode): Problem {
  const problem = JSON.parse(answer.body) as Problem
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json\b/)
  if (code !== undefined) assert.equal(problem.code, code, answer.body)
  const known = PROBLEMS[problem.code as ProblemCode]
  assert.ok(known !== undefined, `unknown code in ${answer.body}`)
  assert.equal(answer.statusCode, known.status)
  assert.equal(problem.status, known.status)
  assert.equal(problem.title, known.title)
  assert.equal(problem.requestId, answer.headers['x-request-id'])
  return problem
}

/** The fields that a problem names, in order. */
export function fieldsOf(problem: Problem): string[] {
  return (problem.errors ?? []).map(({ field }) => field)
}
