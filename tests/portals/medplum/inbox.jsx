// The message pages: all patients' threads, or (with a patient) that patient's.
import { Box } from '@mantine/core';
import { ThreadInbox } from '@medplum/react';
import { useEffect } from 'react';
import { useLocation, useNavigate, useParams } from 'react-router';

/** Query parameters that the thread list understands; others stay in the address and are not searched for. */
const LIST_PARAMETERS = ['status', '_sort', '_count', '_offset', 'recipient'];

export function Inbox({ base = '', subject }) {
  const { messageId } = useParams();
  const { pathname, search } = useLocation();
  const navigate = useNavigate();
  const asked = new URLSearchParams(search);

  useEffect(() => {
    // As in the provider app, the first load replaces a bare address by one that says which list it is.
    if (!asked.has('status')) {
      asked.set('status', 'in-progress');
      navigate(`${pathname}?${asked}`, { replace: true });
    }
  });

  const address = (path, params) => `${base}/Communication${path}?${params}`;
  const query = new URLSearchParams([...asked].filter(([name]) => LIST_PARAMETERS.includes(name)));
  query.set('_sort', '-sent');
  if (subject) {
    query.set('subject', subject);
  }
  const withStatus = (status) => address('', new URLSearchParams({ status }));
  const threadUri = (thread) => address(`/${thread.id}`, asked);
  return (
    <Box h="calc(100vh - 60px)">
      <ThreadInbox
        query={query.toString()}
        threadId={messageId}
        subject={subject && { reference: subject }}
        showPatientSummary={!subject}
        onNew={(thread) => navigate(threadUri(thread))}
        getThreadUri={threadUri}
        onChange={() => navigate(withStatus('in-progress'))}
        inProgressUri={withStatus('in-progress')}
        completedUri={withStatus('completed')}
      />
    </Box>
  );
}
