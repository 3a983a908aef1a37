// The client of the shell: a MockClient whose memory holds what a Medplum server would hold.
import { indexSearchParameter } from '@medplum/core';
import { MockClient } from '@medplum/mock';

/** Search parameters that the message pages ask with and that MockClient's short list leaves out. */
const SEARCH_PARAMETERS = [
  ['status', 'token', 'Communication.status'],
  ['identifier', 'token', 'Communication.identifier'],
  ['sent', 'date', 'Communication.sent'],
  ['subject', 'reference', 'Communication.subject'],
  ['recipient', 'reference', 'Communication.recipient'],
];

export class PageClient extends MockClient {
  constructor(options) {
    super(options);
    for (const [code, type, expression] of SEARCH_PARAMETERS) {
      indexSearchParameter({ resourceType: 'SearchParameter', code, base: ['Communication'], type, expression });
    }
  }

  /** Leaves out reverse chaining, which the memory cannot search by: every header in data.json has messages. */
  search(resourceType, query, options) {
    const asked = new URLSearchParams(query);
    for (const name of [...asked.keys()].filter((one) => one.startsWith('_has:'))) {
      asked.delete(name);
    }
    return super.search(resourceType, asked.toString(), options);
  }
}
