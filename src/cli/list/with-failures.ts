import { CohortError } from '../../../client/src/index.ts'
import { failureOf } from '../api-client.ts'
import { toFailure } from '../group-command.ts'

/**
 * The pages of a list of the API. `url`: where the API is, for messages.
 *
 * @throws CommandFailure when a page cannot be read
 */
export async function* withFailures<P>(pages: AsyncIterable<P>, url: string): AsyncGenerator<P> {
  try {
    yield* pages
  } catch (error) {
    if (error instanceof CohortError) throw toFailure(failureOf(error.outcome), url)
    throw error
  }
}
