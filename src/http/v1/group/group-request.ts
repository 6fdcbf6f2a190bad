/** The path of the routes of one group. */
import { GroupId } from '../../../api/group-schemas.ts'
import { Type } from '../../../api/type.ts'
import { GROUP_ID_LENGTH_MAX } from '../../../group/limits.ts'

export const GROUP_PATH = '/v1/group/:groupId'

/**
 * A code point has at most four bytes in UTF-8. Each byte takes at most three characters (`%F0`) in a path.
 */
export const PARAM_LENGTH_MAX = GROUP_ID_LENGTH_MAX * 12

export const GroupParams = Type.Object({
  groupId: Type.String({
    ...GroupId,
    description:
      'The id: any Unicode text of 1 to 256 characters, without control characters. Ids are compared byte for byte. In a path an id is percent-encoded as UTF-8: `a/b` is `a%2Fb`. The ids `.` and `..` are legal, but most clients remove such a segment from the path before they send it.',
  }),
})
