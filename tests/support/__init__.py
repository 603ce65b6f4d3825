"""What several tests share: planted results, small studies, faulty servers."""
