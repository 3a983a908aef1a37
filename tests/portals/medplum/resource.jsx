// Lists and single resources outside a patient's frame.
import { ResourceTable, SearchControl } from '@medplum/react';
import { useNavigate, useParams } from 'react-router';

export function Resources() {
  const { resourceType } = useParams();
  const navigate = useNavigate();
  return (
    <SearchControl
      search={{ resourceType, fields: ['id', 'name', '_lastUpdated'] }}
      onClick={({ resource }) => navigate(`/${resourceType}/${resource.id}`)}
    />
  );
}

export function Resource() {
  const { resourceType, id } = useParams();
  return <ResourceTable value={{ reference: `${resourceType}/${id}` }} />;
}
