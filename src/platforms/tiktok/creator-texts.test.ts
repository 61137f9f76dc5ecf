import { describe, expect, it } from 'vitest';
import { codeRefusal, postProblem } from './creator-texts.ts';
import { standing } from './operations/creator-authorization.ts';

describe('codeRefusal', () => {
  it.each([
    ['The authorization code has expired.', 'creator_code_expired'],
    ['auth_code: The authorization code has been deleted by the creator.', 'creator_code_deleted'],
    ['The code has already been used by another ad account.', 'creator_code_used'],
    ['Missing required field(s): original_post_auth_code.', 'creator_original_code_required'],
    ['The post cannot be used for ads: its status is ONLY_AUTHOR_SEE.', 'creator_post_unavailable'],
    ['The video has been deleted.', 'creator_post_unavailable'],
    ['Ad authorization is off for this post.', 'creator_authorization_off'],
    ['auth_code: The authorization code is invalid.', 'creator_code_invalid'],
    ['words that nobody has seen yet', 'creator_code_invalid'],
  ])('%s', (message, code) => {
    expect(codeRefusal(message)).toBe(code);
  });
});

describe('postProblem', () => {
  it('knows posts that nobody else sees, in both spellings of TikTok', () => {
    for (const status of ['ONLY_AUTHOR_SEE', 'ITEM_STATUS_ONLY_AUTHOR_SEE', 'STATUS_ONLY_FRIEND_SEE', 'USER_DELETE'])
      expect(postProblem(status), status).toContain(status);
    expect(postProblem('HESITATE_RECOMMEND')).toBeUndefined();
    expect(postProblem(undefined)).toBeUndefined();
  });
});

describe('standing', () => {
  const now = Date.parse('2026-11-22T12:00:00Z');
  const row = (auth: object, status = 'HESITATE_RECOMMEND') => ({ auth_info: auth, item_info: { status } });
  const lasting = { ad_auth_status: 'AUTHORIZED', auth_start_time: '2026-11-01 00:00:00' };

  it.each([
    [row({ ...lasting, auth_end_time: '2026-12-22 12:00:00' }), { state: 'ACTIVE', daysLeft: 30 }],
    [row({ ...lasting, auth_end_time: '2026-12-06 12:00:00' }), { state: 'EXPIRING', daysLeft: 14, warningDays: 14 }],
    [row({ ...lasting, auth_end_time: '2026-11-23 11:00:00' }), { state: 'EXPIRING', daysLeft: 1, warningDays: 1 }],
    [row({ ...lasting, auth_end_time: '2026-11-22 12:00:00' }), { state: 'EXPIRED', daysLeft: 0 }],
    [row({ ...lasting, auth_end_time: '2026-12-22 12:00:00', ad_auth_status: 'CANCELED' }), { state: 'WITHDRAWN' }],
    [row({ ...lasting, auth_end_time: '2026-12-22 12:00:00' }, 'ONLY_AUTHOR_SEE'), { state: 'POST_UNAVAILABLE' }],
    [
      row({ ...lasting, auth_start_time: '2026-11-25 00:00:00', auth_end_time: '2026-12-25 00:00:00' }),
      { state: 'NOT_STARTED' },
    ],
    // Without an end, nothing is said of one.
    [row({ ad_auth_status: 'AUTHORIZED' }), { state: 'ACTIVE' }],
  ])('%j', (given, expected) => {
    expect(standing(given, now)).toMatchObject(expected);
  });
});
