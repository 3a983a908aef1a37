// Starts the shell: Medplum's published components over a client that holds all data in this page.
import '@mantine/core/styles.css';
import '@mantine/notifications/styles.css';
import '@mantine/spotlight/styles.css';
import '@medplum/react/styles.css';

import { MantineProvider } from '@mantine/core';
import { Notifications } from '@mantine/notifications';
import { MedplumProvider } from '@medplum/react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter, useNavigate } from 'react-router';
import { PageClient } from './client.js';
import { fill, practitioner } from './records.js';
import { Shell } from './shell.jsx';

const medplum = new PageClient({ profile: practitioner(), seedDefaultData: false });
await fill(medplum);

function Signed() {
  const navigate = useNavigate();
  return (
    <MedplumProvider medplum={medplum} navigate={navigate}>
      <MantineProvider>
        <Notifications />
        <Shell />
      </MantineProvider>
    </MedplumProvider>
  );
}

createRoot(document.getElementById('root')).render(<BrowserRouter><Signed /></BrowserRouter>);
